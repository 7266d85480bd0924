/* SPDX-License-Identifier: GPL-2.0-only */
/* The one switch between kernel and user space that the pure parsers need. */
#ifndef _DTLSCID_CORE_TYPES_H
#define _DTLSCID_CORE_TYPES_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdbool.h>
#include <stddef.h>
#include <linux/types.h>
typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
#endif

#endif /* _DTLSCID_CORE_TYPES_H */
