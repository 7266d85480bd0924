// SPDX-License-Identifier: GPL-2.0-only
/* Weighted rendezvous hashing: each bucket goes to the node with the best draw. */
#include "rendezvous.h"

/* 32 equally likely bits of node and bucket: the finalizer of splitmix64. */
static u32 draw(u64 seed, u32 bucket)
{
	u64 z = seed + bucket * 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (z ^ z >> 31) >> 32;
}

/* log2(1 + i/32) in 1/65536 */
static const u32 log2_table[33] = {
	0, 2909, 5732, 8473, 11136, 13727, 16248, 18704, 21098, 23433, 25711,
	27936, 30109, 32234, 34312, 36346, 38336, 40286, 42196, 44068, 45904, 47705,
	49472, 51207, 52911, 54584, 56229, 57845, 59434, 60997, 62534, 64047, 65536,
};

/* log2 of x >= 1 in 1/65536: the place of the highest bit, and between two entries. */
static u32 log2_16(u32 x)
{
	u32 whole = 31 - __builtin_clz(x), mantissa, i, rest;

	mantissa = x << (31 - whole) << 1;	/* what follows the highest bit */
	i = mantissa >> 27;
	rest = mantissa >> 11 & 0xffff;
	return (whole << 16) + log2_table[i] +
	       ((log2_table[i + 1] - log2_table[i]) * rest >> 16);
}

static u32 cost_of(u32 x)
{
	return (32 << 16) - log2_16(x ? x : 1);
}

u32 rendezvous_cost(u64 seed, u32 bucket)
{
	return cost_of(draw(seed, bucket));
}

static bool beats(const struct rendezvous_candidate *c, u32 x, u32 cost,
		  const struct rendezvous_best *best)
{
	const struct rendezvous_candidate *b = best->candidate;

	if (rendezvous_better(cost, c->weight, best->cost, b->weight))
		return true;
	if (rendezvous_better(best->cost, b->weight, cost, c->weight))
		return false;
	return x > best->draw || (x == best->draw && c->seed < b->seed);
}

/* With a lesser draw and no greater weight none is better: most need no cost. */
void rendezvous_offer(struct rendezvous_best *best, const struct rendezvous_candidate *c,
		      u32 bucket)
{
	u32 x = draw(c->seed, bucket), cost;

	if (best->candidate && x < best->draw && c->weight <= best->candidate->weight)
		return;
	cost = cost_of(x);
	if (best->candidate && !beats(c, x, cost, best))
		return;
	*best = (struct rendezvous_best){ .candidate = c, .draw = x, .cost = cost };
}

const struct rendezvous_candidate *rendezvous_winner(const struct rendezvous_candidate *candidate,
						     unsigned int n, u32 bucket)
{
	struct rendezvous_best best = { 0 };

	for (; n; n--, candidate++)
		rendezvous_offer(&best, candidate, bucket);
	return best.candidate;
}
