/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Weighted rendezvous hashing: each bucket goes to the node with the best draw.
 *
 * A node that comes or goes moves only the buckets that it gets or had.  Of draws
 * that are uniform in 0..1, the least -log(draw) / weight is that of a node with the
 * probability of its share of the weights.  Pure, like the parser.
 */
#ifndef _DTLSCID_CORE_RENDEZVOUS_H
#define _DTLSCID_CORE_RENDEZVOUS_H

#include "types.h"

/**
 * rendezvous_cost() - -log2 of a node's draw for a bucket
 * @seed:	of the node, from a keyed hash of its address
 * @bucket:	bucket
 *
 * Return: 0 to 32, as a number of 1/65536.
 */
u32 rendezvous_cost(u64 seed, u32 bucket);

/* Whether cost a at weight a is better than b at b; equal costs: neither. */
static inline bool rendezvous_better(u32 cost_a, u32 weight_a, u32 cost_b, u32 weight_b)
{
	return (u64)cost_a * weight_b < (u64)cost_b * weight_a;
}

/**
 * struct rendezvous_candidate - who may get a bucket
 * @seed:	as of rendezvous_cost()
 * @owner:	the caller's
 * @number:	the caller's
 * @weight:	its share, at least 1
 */
struct rendezvous_candidate {
	u64	seed;
	void	*owner;
	u32	number;
	u32	weight;
};

/* The best of the candidates so far; at first zeroed. */
struct rendezvous_best {
	const struct rendezvous_candidate *candidate;
	u32	draw;
	u32	cost;
};

/**
 * rendezvous_offer() - one more candidate for a bucket
 * @best:	the best so far, then that of all
 * @c:		candidate
 * @bucket:	bucket, or any other hash value
 *
 * Of equals the greater draw is better, then the lesser seed: in which order they are
 * offered does not matter, as it is not the same on every balancer.
 */
void rendezvous_offer(struct rendezvous_best *best, const struct rendezvous_candidate *c,
		      u32 bucket);

/* The best of @n candidates; NULL if there is none. */
const struct rendezvous_candidate *rendezvous_winner(const struct rendezvous_candidate *candidate,
						     unsigned int n, u32 bucket);

#endif /* _DTLSCID_CORE_RENDEZVOUS_H */
