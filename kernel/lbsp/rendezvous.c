// SPDX-License-Identifier: GPL-2.0-only
/* An object can be in one module only, and xt_DTLSCID has it; what it does is not worth exports. */
#include "../core/rendezvous.c"
