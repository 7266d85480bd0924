/* SPDX-License-Identifier: GPL-2.0-only */
/* --encoding and --option-type: which options are LBSP. */
#ifndef _DTLSCID_LBSP_H
#define _DTLSCID_LBSP_H

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <linux/netfilter/nf_lbsp.h>
#include "number.h"

static const struct number option_type = {
	"option-type", offsetof(struct nf_lbsp_format, type), sizeof(__u8),
	NF_LBSP_TYPE_MIN, NF_LBSP_TYPE_MAX
};

static void print_ipv6(const struct in6_addr *addr)
{
	char text[INET6_ADDRSTRLEN] = "";

	printf("%s", inet_ntop(AF_INET6, addr, text, sizeof(text)));
}

static __u8 parse_encoding(const char *s)
{
	if (strcmp(s, "rfc") == 0)
		return NF_LBSP_RFC;
	if (strcmp(s, "draft") == 0)
		return NF_LBSP_DRAFT;
	refuse("--encoding: \"%s\" is neither rfc nor draft", s);
}

static const char *encoding_name(__u8 encoding)
{
	return encoding == NF_LBSP_DRAFT ? "draft" : "rfc";
}

static void print_option_type(const struct nf_lbsp_format *f, const char *dashes)
{
	if (f->type != NF_LBSP_TYPE_DEFAULT)
		printf(" %s%s 0x%02x", dashes, option_type.option, f->type);
}

#endif /* _DTLSCID_LBSP_H */
