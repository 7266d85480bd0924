// SPDX-License-Identifier: GPL-2.0-only
/* Rule data as an honest plugin makes it, but for counts that claim more than there is room for. */
#include <string.h>
#include <linux/netfilter/xt_dtlscid.h>
#include "blobs.h"

/* Any offset and length that leave room for the node id. */
static struct nf_dtlscid_format format(void)
{
	struct nf_dtlscid_format f = { .id_offset = (uint8_t)draw(3), .id_length = 1 };

	if (chance(40))
		f.id_length = (uint8_t)(1 + draw(4));
	if (chance(50))
		f.cid_length = (uint8_t)(7 + draw(chance(90) ? 8 : 249));
	return f;
}

static void put_ranges(struct xt_dtlscid_mtinfo_v0 *m)
{
	uint32_t most = 0xffffffff >> (32 - 8 * m->format.id_length), i;

	m->nranges = (uint8_t)(1 + draw(chance(90) ? 4 : XT_DTLSCID_RANGES_MAX));
	if (chance(1))
		m->nranges = 255;
	for (i = 0; i < m->nranges && i < XT_DTLSCID_RANGES_MAX; i++) {
		m->range[i].min = draw(most);
		m->range[i].max = m->range[i].min + draw(most - m->range[i].min);
	}
}

static void put_cid(struct xt_dtlscid_mtinfo_v0 *m)
{
	uint32_t longest = m->format.cid_length ? m->format.cid_length : 255, bits;

	bits = 1 + draw(8 * longest);
	m->cid_bits = (uint16_t)bits;
	fill(m->cid, (bits + 7) / 8);
	if (bits % 8)
		m->cid[bits / 8] &= (uint8_t)(0xff00 >> bits % 8);
}

void put_match(struct part *p)
{
	struct xt_dtlscid_mtinfo_v0 m;

	memset(&m, 0, sizeof(m));
	m.format = format();
	m.tests = (uint8_t)draw(XT_DTLSCID_ALL_TESTS + 1);
	m.invert = (uint8_t)(m.tests & draw(16));
	if (m.tests & XT_DTLSCID_NODE_ID)
		put_ranges(&m);
	if (m.tests & XT_DTLSCID_CID)
		put_cid(&m);
	if (m.tests & XT_DTLSCID_VERSION)
		m.version = (uint8_t)(2 + draw(2));
	if (m.tests & XT_DTLSCID_RECORD)
		m.records = (uint16_t)(1 + draw(NF_DTLSCID_RECORD_ALL));
	p->name = "dtlscid";
	p->len = sizeof(m);
	memcpy(p->data, &m, sizeof(m));
}

/* Of the loopback device, so that datagrams come back. */
static void put_address(union nf_inet_addr *a, bool v6)
{
	static const uint8_t here[16] = { [15] = 1 };

	if (v6)
		memcpy(a, here, sizeof(here));
	else
		a->ip = htonl(INADDR_LOOPBACK + draw(4));
}

static void put_nodes(struct xt_dtlscid_tginfo_v0 *t, bool v6)
{
	uint32_t i;

	t->nnodes = (uint8_t)(1 + draw(chance(90) ? 5 : XT_DTLSCID_NODES_MAX));
	if (chance(1))
		t->nnodes = 255;
	for (i = 0; i < t->nnodes && i < XT_DTLSCID_NODES_MAX; i++) {
		struct xt_dtlscid_node *n = &t->node[i];

		put_address(&n->addr, v6);
		n->id = i + 1;
		n->port = htons((uint16_t)(chance(50) ? 0 : 1000 + draw(4)));
		n->weight = (uint8_t)(chance(80) ? 1 : draw(256));
		if (chance(10))
			n->cid_length = (uint8_t)(8 + draw(8));
		t->state[i / 4] |= (uint8_t)((chance(70) ? 0 : draw(4)) << 2 * (i % 4));
	}
}

static void put_actions(struct xt_dtlscid_tginfo_v0 *t)
{
	t->fresh = (uint8_t)draw(3);
	t->unknown = (uint8_t)draw(2);
	t->malformed = (uint8_t)draw(2);
	t->mixed = chance(50) ? XT_DTLSCID_DROP : XT_DTLSCID_FIRST;
	t->not_dtls = (uint8_t)draw(3);
}

void put_target(struct part *p, bool v6)
{
	struct xt_dtlscid_tginfo_v0 t;

	memset(&t, 0, sizeof(t));
	t.format = format();
	put_nodes(&t, v6);
	put_actions(&t);
	t.flags = (uint8_t)draw(8);
	if (t.flags & XT_DTLSCID_HASH_KEY)
		fill(t.hash_key, sizeof(t.hash_key));
	t.zone_base = (uint16_t)(1 + draw(65000));
	t.timeout[0] = 1 + draw(5);
	t.timeout[1] = 1 + draw(5);
	t.max_flows = 1 + draw(100);
	t.id_mark = chance(30) ? 0xff0U << draw(20) : 0;
	t.id_connmark = chance(30) ? 0xffU << draw(24) : 0;
	t.name[0] = (char)('a' + draw(4));
	if (chance(30)) {
		put_address(&t.vip, v6);
		t.vip_port = htons(5684);
	}
	p->name = "DTLSCID";
	p->len = sizeof(t);
	memcpy(p->data, &t, sizeof(t));
}
