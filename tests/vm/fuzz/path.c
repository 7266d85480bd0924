// SPDX-License-Identifier: GPL-2.0-only
/* From where to where packets go, in net.sh's topology. */
#include <string.h>
#include "fuzz.h"

/* Addresses of net.sh, on the clients' link or the nodes'; the last part is of both families. */
static void address(uint8_t *to, bool v6, bool nodes, uint32_t last)
{
	static const uint8_t v4[2][4] = { { 198, 51, 100 }, { 192, 0, 2 } };

	memset(to, 0, 16);
	if (v6) {
		put32(to, 0x20010db8);
		to[5] = nodes ? 2 : 1;
		put16(to + 14, 0x10 * (last / 10) + last % 10);	/* written in decimal */
	} else {
		memcpy(to, v4[nodes], 4);
		to[3] = (uint8_t)last;
	}
}

static void vip(uint8_t *to, bool v6) { address(to, v6, false, 1); }
static void client(uint8_t *to, bool v6) { address(to, v6, false, 10 + draw(3)); }
static void node(uint8_t *to, bool v6) { address(to, v6, true, 11 + draw(NODES)); }

/* Somebody else: a multicast or unspecified address, or a made up one. */
static void stranger(uint8_t *to, bool v6)
{
	fill(to, v6 ? 16 : 4);
	if (chance(30))
		memset(to, chance(50) ? 0xff : 0, v6 ? 16 : 4);
	else if (chance(50))
		client(to, v6);
	if (chance(50))
		to[v6 ? 15 : 3] = (uint8_t)draw(256);
}

bool is_for_vip(const struct path *p)
{
	uint8_t is[16];

	vip(is, p->v6);
	return !memcmp(p->dst, is, p->v6 ? 16 : 4);
}

/* Few ports most of the time, so that their flows are there. */
static uint16_t client_port(void)
{
	return (uint16_t)(chance(85) ? 20000 + draw(64) : draw(65536));
}

struct path from_client(bool v6, uint16_t port)
{
	struct path p = { .v6 = v6, .sport = client_port(), .dport = port };

	client(p.src, v6);
	vip(p.dst, v6);
	if (chance(4))
		stranger(p.src, v6);
	if (chance(1))
		node(p.dst, v6);
	if (chance(1))
		stranger(p.dst, v6);
	return p;
}

struct path from_node(bool v6, uint16_t port)
{
	struct path p = { .v6 = v6, .sport = port, .dport = client_port() };

	node(p.src, v6);
	client(p.dst, v6);
	if (chance(4))
		stranger(p.src, v6);
	if (chance(4))
		vip(p.dst, v6);
	if (chance(4))
		stranger(p.dst, v6);
	return p;
}
