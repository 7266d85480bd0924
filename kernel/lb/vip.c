// SPDX-License-Identifier: GPL-2.0-only
/* The services' addresses: no rule tells the target where clients send to. */
#include "lb.h"

static bool is_vip(struct lb_vip *v, const union nf_inet_addr *addr, __be16 port)
{
	union nf_inet_addr a;
	__be16 p;

	return lb_vip_get(v, &a, &p) && p == port && !memcmp(&a, addr, sizeof(a));
}

/* Written for new flows only, and seldom then: most services have one address. */
void lb_vip_set(struct lb_vip *v, const union nf_inet_addr *addr, __be16 port)
{
	if (is_vip(v, addr, port))
		return;
	write_seqlock_bh(&v->lock);
	v->addr = *addr;
	v->port = port;
	write_sequnlock_bh(&v->lock);
}

/* Return: whether it is known. */
bool lb_vip_get(struct lb_vip *v, union nf_inet_addr *addr, __be16 *port)
{
	unsigned int seq;

	do {
		seq = read_seqbegin(&v->lock);
		*addr = v->addr;
		*port = v->port;
	} while (read_seqretry(&v->lock, seq));
	return *port;
}

/**
 * lb_speaks_from() - what the packets of a node are to come from
 * @f:		family
 * @slot:	the node's
 * @addr:	filled in: the service's address
 * @port:	filled in: its port
 *
 * Return: false when no rule says it and no client has come yet.
 */
bool lb_speaks_from(struct lb_family *f, struct lb_slot *slot, union nf_inet_addr *addr,
		    __be16 *port)
{
	return lb_vip_get(&f->vip, addr, port) || lb_vip_get(&slot->vip, addr, port) ||
	       lb_vip_get(&f->last, addr, port);
}
