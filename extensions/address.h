/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * ADDR[:PORT], for IPv6 ADDR or [ADDR]:PORT: of a node, and of the service.
 */
#ifndef _DTLSCID_ADDRESS_H
#define _DTLSCID_ADDRESS_H

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <xtables.h>
#include <linux/netfilter.h>
#include "number.h"

/* "ADDR", or "[ADDR]" for IPv6, to @addr; returns what follows, NULL if ] is missing. */
static const char *cut_address(const char *s, char *addr, size_t size)
{
	bool v6 = afinfo->family == AF_INET6, brackets = v6 && *s == '[';
	const char *end;

	s += brackets;
	end = s + strcspn(s, brackets ? "]" : v6 ? "," : ":,");
	snprintf(addr, size, "%.*s", (int)(end - s), s);
	if (!brackets)
		return end;
	return *end ? end + 1 : NULL;
}

static bool is_unicast(const union nf_inet_addr *addr)
{
	if (afinfo->family == AF_INET6)
		return !IN6_IS_ADDR_UNSPECIFIED(&addr->in6) && !IN6_IS_ADDR_MULTICAST(&addr->in6);
	return addr->ip != htonl(INADDR_ANY) && addr->ip != htonl(INADDR_BROADCAST) &&
	       !IN_MULTICAST(ntohl(addr->ip));
}

/* ADDR[:PORT], ended by ",", the value of --@option; returns what follows. */
static const char *parse_address(const char *s, const char *option, union nf_inet_addr *to,
				 __be16 *port)
{
	int n = strcspn(s, ",");
	char addr[64];		/* longer than any address: what is cut is none */
	const char *rest = cut_address(s, addr, sizeof(addr));
	char what[32];

	if (!rest || (*rest && !strchr(":,", *rest)) ||
	    inet_pton(afinfo->family, addr, to) != 1)
		refuse("--%s: \"%.*s\" is not an IPv%c address", option, n, s,
		       afinfo->family == AF_INET6 ? '6' : '4');
	if (!is_unicast(to))
		refuse("--%s: \"%.*s\" is not a unicast address", option, n, s);
	if (*rest == ':') {
		rest++;
		snprintf(what, sizeof(what), "%s PORT", option);
		*port = htons(parse_number(&rest, ",", what, 1, UINT16_MAX));
	}
	return rest;
}

/* For xtables-monitor 1.8.9 all is IPv4; but there the rest of an address is 0. */
static inline int family_of(const union nf_inet_addr *addr)
{
	return addr->all[1] | addr->all[2] | addr->all[3] ? AF_INET6 : afinfo->family;
}

static inline void print_address(FILE *f, const union nf_inet_addr *addr, __be16 port)
{
	int family = family_of(addr);
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(family, addr, text, sizeof(text));
	fprintf(f, port && family == AF_INET6 ? "[%s]" : "%s", text);
	if (port)
		fprintf(f, ":%u", ntohs(port));
}

#endif /* _DTLSCID_ADDRESS_H */
