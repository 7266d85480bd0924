// SPDX-License-Identifier: GPL-2.0-only
/* What rendezvous hashing promises: shares by weight, and no needless move. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <rendezvous.h>

#define BUCKETS	4096
#define NODES	16

static unsigned int count, failed;

static void test(const char *name, double got, double least, double most)
{
	bool good = got >= least && got <= most;

	count++;
	failed += !good;
	printf("%sok %u - %s: %.4f in %.4f to %.4f\n", good ? "" : "not ", count, name, got,
	       least, most);
}

/* Any will do that differ. */
static u64 seed(unsigned int node)
{
	return (node + 1) * 0xd6e8feb86659fd93ULL;
}

static unsigned int candidates(const u32 weights[NODES], struct rendezvous_candidate c[NODES])
{
	unsigned int n = 0, node;

	for (node = 0; node < NODES; node++)
		if (weights[node])
			c[n++] = (struct rendezvous_candidate){
				.seed = seed(node), .number = node, .weight = weights[node],
			};
	return n;
}

static unsigned int winner(u32 bucket, const u32 weights[NODES])
{
	struct rendezvous_candidate c[NODES];
	unsigned int n = candidates(weights, c);

	return rendezvous_winner(c, n, bucket)->number;
}

/* The definition: the least cost by weight. */
static double price(u32 bucket, unsigned int node, const u32 weights[NODES])
{
	return (double)rendezvous_cost(seed(node), bucket) / weights[node];
}

static bool is_least(u32 bucket, unsigned int node, const u32 weights[NODES])
{
	unsigned int n;

	for (n = 0; n < NODES; n++)
		if (weights[n] && price(bucket, n, weights) < price(bucket, node, weights))
			return false;
	return true;
}

/* From the last to the first, and from the middle on. */
static bool is_winner_of_all_orders(u32 bucket, const u32 weights[NODES])
{
	struct rendezvous_candidate c[NODES], turned[NODES], back[NODES];
	unsigned int n = candidates(weights, c), i, node = rendezvous_winner(c, n, bucket)->number;

	for (i = 0; i < n; i++) {
		turned[i] = c[(i + n / 2) % n];
		back[i] = c[n - 1 - i];
	}
	return rendezvous_winner(turned, n, bucket)->number == node &&
	       rendezvous_winner(back, n, bucket)->number == node;
}

static void test_winners(void)
{
	static const u32 weights[NODES] = { 1, 2, 1, 3, 1, 255, 1, 1, 2, 1, 0, 1, 250, 1, 1, 2 };
	static const u32 equal[NODES] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	unsigned int dear = 0, orders = 0;
	u32 bucket;

	for (bucket = 0; bucket < 1000000; bucket++) {
		dear += !is_least(bucket, winner(bucket, weights), weights);
		orders += !is_winner_of_all_orders(bucket, weights);
		orders += !is_winner_of_all_orders(bucket, equal);
	}
	test("winners that have not the least cost", dear, 0, 0);
	test("winners that depend on the order", orders, 0, 0);
	test("of none there is none", !rendezvous_winner(NULL, 0, 7), 1, 1);
}

static double share(unsigned int node, const u32 weights[NODES])
{
	unsigned int won = 0, bucket;

	for (bucket = 0; bucket < BUCKETS; bucket++)
		won += winner(bucket, weights) == node;
	return (double)won / BUCKETS;
}

/*
 * A cost is -log2 of a uniform draw: its mean is 1 / ln 2, and half of all are less
 * than 1.
 */
static void test_costs(void)
{
	double sum = 0, halves = 0, most = 0, cost;
	unsigned int n, bucket;

	for (n = 0; n < 1000; n++)
		for (bucket = 0; bucket < 1000; bucket++) {
			cost = rendezvous_cost(seed(n), bucket) / 65536.0;
			sum += cost;
			halves += cost < 1;
			most = fmax(most, cost);
		}
	test("mean of the costs, 1 / ln 2", sum / 1e6, 1 / M_LN2 - 0.005, 1 / M_LN2 + 0.005);
	test("costs less than 1: a half", halves / 1e6, 0.498, 0.502);
	test("no cost is above 32", most, 10, 32);
}

static void test_shares(void)
{
	static const u32 equal[NODES] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	static const u32 one_three[NODES] = { 1, 3 }, large[NODES] = { 85, 255 };
	static const u32 single[NODES] = { [5] = 7 };
	double least = 1, most = 0;
	unsigned int n;

	for (n = 0; n < NODES; n++) {
		least = fmin(least, share(n, equal));
		most = fmax(most, share(n, equal));
	}
	test("16 equal nodes: the least share", least, 0.0500, 0.0625);
	test("16 equal nodes: the greatest share", most, 0.0625, 0.0750);
	test("weights 1 and 3: the second's share", share(1, one_three), 0.73, 0.77);
	test("weights 85 and 255: the same", share(1, large), 0.73, 0.77);
	test("a single node has all", share(5, single), 1, 1);
}

/* Without node 3, with node 15 only then: who had to move? */
static void test_moves(void)
{
	static const u32 all[NODES] = { 1, 2, 1, 3, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2 };
	static const u32 fewer[NODES] = { 1, 2, 1, 0, 1, 1, 1, 1, 2, 1, 1, 1, 1, 1, 1, 2 };
	unsigned int strays = 0, moved = 0, bucket;

	for (bucket = 0; bucket < BUCKETS; bucket++) {
		unsigned int before = winner(bucket, all), after = winner(bucket, fewer);

		moved += before != after;
		strays += before != after && before != 3;
	}
	test("a node goes: buckets of others that move", strays, 0, 0);
	test("a node goes: its own buckets move", moved, BUCKETS * share(3, all),
	     BUCKETS * share(3, all));
}

int main(void)
{
	test_costs();
	test_shares();
	test_moves();
	test_winners();
	printf("1..%u\n", count);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
