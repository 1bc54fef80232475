/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_cred.h"

#include <errno.h>
#include <linux/securebits.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "devices/fs/fs_newer.h"

/* What this thread has now; the system calls are of a thread, not of the process */
static __thread struct {
	bool known;
	uint32_t uid, gid;
} fs_cred_now;

/* Whether the thread has @id now: the call answers what was before, and an invalid id changes nothing */
static bool fs_cred_set(long call, uint32_t id)
{
	(void)syscall(call, id);
	return (uint32_t)syscall(call, UINT32_MAX) == id;
}

void fs_cred_init(const struct fs *fs)
{
	const int bits = prctl(PR_GET_SECUREBITS, 0, 0, 0, 0);

	/* A process that may not has no capabilities to keep. */
	if (!fs->squash && bits >= 0 && !(bits & SECBIT_NO_SETUID_FIXUP))
		(void)prctl(PR_SET_SECUREBITS, (unsigned long)bits | SECBIT_NO_SETUID_FIXUP, 0, 0,
			    0);
}

int fs_cred_take(const struct fs *fs, const struct fs_request *r)
{
	if (fs->squash)
		return 0;
	if (fs->flags & FS_ALLOW_IDMAP && r->in.uid == UINT32_MAX && r->in.gid == UINT32_MAX)
		return 0; /* it makes nothing */
	if (fs_cred_now.known && fs_cred_now.uid == r->in.uid && fs_cred_now.gid == r->in.gid)
		return 0;
	fs_cred_now.known = fs_cred_set(SYS_setfsgid, r->in.gid) &&
			    fs_cred_set(SYS_setfsuid, r->in.uid);
	fs_cred_now.uid = r->in.uid;
	fs_cred_now.gid = r->in.gid;
	return fs_cred_now.known ? 0 : -EOVERFLOW;
}
