// SPDX-License-Identifier: GPL-2.0-only
/* A rule of both match and target, or of one of them; LBSP's are IPv6's. */
#include <string.h>
#include "blobs.h"

void make_rule(struct rule *r, bool v6, uint32_t damage)
{
	uint32_t which = draw(3);

	memset(r, 0, sizeof(*r));
	r->v6 = v6;
	r->nat = v6 && chance(50);
	if (which != 1) {
		if (v6 && chance(50))
			put_lbsp_match(&r->match);
		else
			put_match(&r->match);
	}
	if (which != 0) {
		if (r->nat)
			put_lbsp_target(&r->target);
		else
			put_target(&r->target, v6);
	}
	mutate(r->match.data, r->match.len, chance(50) ? damage : 0);
	mutate(r->target.data, r->target.len, chance(50) ? damage : 0);
}
