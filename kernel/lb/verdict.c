// SPDX-License-Identifier: GPL-2.0-only
/* What a datagram is, and the node that its CID names. */
#include "lb.h"

static struct lb_verdict by_cid(enum lb_reason reason, const struct lb_entry *e)
{
	if (!e)
		return (struct lb_verdict){ .reason = LB_UNKNOWN_NODE };
	if (READ_ONCE(e->node->state) == XT_DTLSCID_DOWN)
		return (struct lb_verdict){ .reason = LB_NODE_DOWN };
	return lb_to_entry(reason, e);
}

static enum lb_reason reason_of(const struct dtls_datagram *d)
{
	if (d->records & NF_DTLSCID_RECORD_BIT(MALFORMED))
		return LB_MALFORMED;
	if (d->records & NF_DTLSCID_RECORD_BIT(MIXED))
		return LB_MIXED;
	if (d->records & NF_DTLSCID_RECORD_BIT(NOT_DTLS))
		return LB_NOT_DTLS;
	if (d->records & NF_DTLSCID_RECORD_BIT(CID))
		return d->version == 3 ? LB_CID13 : LB_CID12;
	return d->records & NF_DTLSCID_RECORD_BIT(CLIENT_HELLO) ? LB_CLIENT_HELLO : LB_NO_CID;
}

static bool read(const struct sk_buff *skb, unsigned int at, int len,
		 const struct nf_dtlscid_format *f, struct dtls_datagram *d)
{
	return len < 0 ? nf_dtlscid_read(skb, at, f, d) : nf_dtlscid_read_at(skb, at, len, f, d);
}

/**
 * lb_judge() - read a datagram
 * @r:		rule
 * @skb:	packet
 * @at:		payload, in bytes from skb->data
 * @len:	its length; less than 0: @at is the UDP header, and it is the whole packet's
 *
 * The CID's length may be the node's own: then the first CID is read without one, and
 * the datagram once more with that of the node it names.
 */
struct lb_verdict lb_judge(const struct lb_rule *r, const struct sk_buff *skb, unsigned int at,
			   int len)
{
	const struct lb_table *view = rcu_dereference(r->view);
	struct nf_dtlscid_format f = r->format;
	const struct lb_entry *e = NULL;
	struct dtls_datagram d;
	enum lb_reason reason;

	f.cid_length = view->cid_length;
	if (!read(skb, at, len, &f, &d))
		return (struct lb_verdict){ .reason = LB_MALFORMED };
	if (dtls_has_cid(&d)) {
		e = lb_find(view, d.id);
		f.cid_length = e ? e->cid_length : r->cid_length;
		if (f.cid_length != view->cid_length && !read(skb, at, len, &f, &d))
			return (struct lb_verdict){ .reason = LB_MALFORMED };
	}
	reason = reason_of(&d);
	if (reason == LB_CID12 || reason == LB_CID13 ||
	    (reason == LB_MIXED && r->action[LB_MIXED] == LB_SERVE))
		return by_cid(reason, e);
	return (struct lb_verdict){ .reason = reason };
}
