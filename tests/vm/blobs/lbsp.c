// SPDX-License-Identifier: GPL-2.0-only
/* Rule data of -m lbsp and -j LBSP, as data.c has that of the others. */
#include <string.h>
#include "blobs.h"	/* with <netinet/in.h>, ahead of those of Linux, which know of it then */
#include <linux/netfilter/xt_LBSP.h>
#include <linux/netfilter/xt_lbsp.h>

/* Of the loopback device, or so near it that some bits tell them apart. */
static void put_address(struct in6_addr *a, uint32_t last)
{
	memset(a, 0, sizeof(*a));
	a->s6_addr[15] = (uint8_t)last;
}

static uint8_t put_prefix(struct in6_addr *a)
{
	uint32_t bits = chance(30) ? 128 : draw(129), i;

	if (chance(70))
		put_address(a, draw(4));
	else
		fill(a->s6_addr, sizeof(a->s6_addr));
	for (i = bits; i < 128; i++)
		a->s6_addr[i / 8] &= (uint8_t)~(0x80 >> i % 8);
	return (uint8_t)bits;
}

static uint8_t option_type(void)
{
	return chance(80) ? NF_LBSP_TYPE_DEFAULT :
	       (uint8_t)(NF_LBSP_TYPE_MIN + draw(NF_LBSP_TYPE_MAX + 1 - NF_LBSP_TYPE_MIN));
}

void put_lbsp_match(struct part *p)
{
	struct xt_lbsp_mtinfo_v0 m;

	memset(&m, 0, sizeof(m));
	m.format.encodings = (uint8_t)(chance(70) ? NF_LBSP_RFC | NF_LBSP_DRAFT : 1 + draw(3));
	m.format.type = option_type();
	m.tests = (uint8_t)draw(XT_LBSP_ALL_TESTS + 1);
	m.invert = (uint8_t)(m.tests & draw(XT_LBSP_ALL_TESTS + 1));
	if (m.tests & XT_LBSP_ENCODING)
		m.encoding = (uint8_t)(chance(50) ? NF_LBSP_RFC : NF_LBSP_DRAFT);
	if (m.tests & XT_LBSP_CLIENT)
		m.client_bits = put_prefix(&m.client);
	if (m.tests & XT_LBSP_SERVER)
		m.server_bits = put_prefix(&m.server);
	p->name = "lbsp";
	p->len = sizeof(m);
	memcpy(p->data, &m, sizeof(m));
}

static uint8_t state(bool idle)
{
	if (idle)
		return (uint8_t)(XT_DTLSCID_DRAIN + draw(2));
	return (uint8_t)(chance(70) ? XT_DTLSCID_AS_IS : draw(4));
}

static void put_servers(struct xt_lbsp_tginfo_v0 *t)
{
	bool idle = chance(20);	/* none takes new clients */
	uint32_t i;

	t->nservers = (uint8_t)(1 + draw(chance(90) ? 5 : XT_LBSP_SERVERS_MAX));
	if (chance(1))
		t->nservers = 255;
	for (i = 0; i < t->nservers && i < XT_LBSP_SERVERS_MAX; i++) {
		struct xt_lbsp_server *s = &t->server[i];

		put_address(&s->addr, i + 1);
		s->weight = (uint8_t)(chance(80) ? 1 : draw(256));
		s->state = state(idle);
	}
}

void put_lbsp_target(struct part *p)
{
	struct xt_lbsp_tginfo_v0 t;

	memset(&t, 0, sizeof(t));
	t.format.encodings = chance(60) ? NF_LBSP_RFC : NF_LBSP_DRAFT;
	t.format.type = option_type();
	t.flags = (uint8_t)draw(4);
	put_servers(&t);
	if (chance(50)) {
		t.timeout[0] = 1 + draw(5);
		t.timeout[1] = 1 + draw(5);
	}
	if (t.flags & XT_LBSP_HASH_KEY)
		fill(t.hash_key, sizeof(t.hash_key));
	t.name[0] = (char)('a' + draw(4));
	p->name = "LBSP";
	p->len = sizeof(t);
	memcpy(p->data, &t, sizeof(t));
}
