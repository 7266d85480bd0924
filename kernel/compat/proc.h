/* SPDX-License-Identifier: GPL-2.0-only */
/* pde_data() had another name. */
#ifndef _DTLSCID_COMPAT_PROC_H
#define _DTLSCID_COMPAT_PROC_H

#include <linux/proc_fs.h>

#ifndef HAVE_PDE_DATA
#define pde_data(inode)	PDE_DATA(inode)
#endif

#endif /* _DTLSCID_COMPAT_PROC_H */
