/* SPDX-License-Identifier: GPL-2.0-only */
/* Where skb_gso_segment() is declared: it moved from linux/netdevice.h. */
#ifndef _DTLSCID_COMPAT_GSO_H
#define _DTLSCID_COMPAT_GSO_H

#include <linux/netdevice.h>
#ifdef HAVE_NET_GSO_H
#include <net/gso.h>
#endif

#endif /* _DTLSCID_COMPAT_GSO_H */
