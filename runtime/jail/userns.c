/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/jail/userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/securebits.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "devices/core/fmt.h"
#include "runtime/jail/caps.h"
#include "runtime/util/file.h"

/* ---- choosing ids ---- */

static bool userns_is_mapped(uint32_t id)
{
	cleanup_free char *uids = NULL, *gids = NULL;

	return file_read_all("/proc/self/uid_map", &uids) == 0 &&
	       file_read_all("/proc/self/gid_map", &gids) == 0 && userns_map_has(uids, id, 1) &&
	       userns_map_has(gids, id, 1);
}

static bool userns_has_several(const struct userns_ids *ids)
{
	cleanup_free char *uids = NULL, *gids = NULL;

	return ids->uid != USERNS_NONE && file_read_all("/proc/self/uid_map", &uids) == 0 &&
	       file_read_all("/proc/self/gid_map", &gids) == 0 &&
	       userns_map_has_others(uids, ids->uid) && userns_map_has_others(gids, ids->gid);
}

bool userns_own_ids(void)
{
	cleanup_free char *uids = NULL;

	return file_read_all("/proc/self/uid_map", &uids) == 0 &&
	       !userns_map_has(uids, UINT32_MAX - 1, 1);
}

static int userns_number_of(int fd, uint32_t *ret, struct err *err)
{
	static const char key[] = "eventfd-id:";
	char path[40], text[1024];
	const char *at;
	uint64_t id;

	fmt_into(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	(void)file_read(AT_FDCWD, path, text, sizeof(text));
	at = strstr(text, key);
	/* A negative number becomes a large one. */
	id = at ? strtoull(at + sizeof(key) - 1, NULL, 10) : UINT64_MAX;
	if (id >= USERNS_HOST_COUNT)
		return err_text(err, ENOTSUP, "%s: no usable %s, from which the VM gets its uid",
				path, key);
	*ret = (uint32_t)id;
	return 0;
}

int userns_choose(struct userns_ids *ret, struct err *err)
{
	cleanup_fd int fd = -1;
	uint32_t id;
	int rc;

	*ret = (struct userns_ids){.uid = geteuid(), .gid = getegid()};
	/* The kernel requires it for mapping uid 0. */
	if (ret->uid == 0 && !caps_has(CAP_SETFCAP))
		ret->uid = USERNS_NONE;
	if (!caps_has(CAP_SETUID) || !caps_has(CAP_SETGID))
		return 0;
	ret->several = userns_has_several(ret);
	fd = eventfd(0, EFD_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "eventfd");
	rc = userns_number_of(fd, &id, err);
	if (rc < 0 || !userns_is_mapped(USERNS_HOST_BASE + id))
		return rc;
	*ret = (struct userns_ids){.uid = USERNS_HOST_BASE + id,
				   .gid = USERNS_HOST_BASE + id,
				   .exclusive = true,
				   .several = true};
	(void)TAKE_FD(fd); /* never closed: it holds the number */
	return 0;
}

/* ---- assigning ids ---- */

static int userns_write_proc(pid_t pid, const char *file, const char *text, size_t len,
			     struct err *err)
{
	char path[64];
	cleanup_fd int fd = -1;

	fmt_into(path, sizeof(path), "/proc/%d/%s", pid, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "%s", path);
	/* The kernel accepts a map only in one write. */
	if (write(fd, text, len) != (ssize_t)len)
		return err_set(err, errno, "write %s", path);
	return 0;
}

static int userns_write_map(pid_t pid, const struct userns_ids *ids, const struct id_map *m,
			    const char *file, uint32_t id, struct err *err)
{
	char map[USERNS_MAP_BYTES];
	int rc = userns_map_text(ids, m, file, id, map, err);

	return rc < 0 ? rc : userns_write_proc(pid, file, map, strlen(map), err);
}

int userns_write_maps(pid_t pid, const struct userns_ids *ids, struct err *err)
{
	int rc = userns_write_proc(pid, "setgroups", "deny", 4, err);

	if (rc == 0)
		rc = userns_write_map(pid, ids, ids->gids, "gid_map", ids->gid, err);
	return rc < 0 || ids->uid == USERNS_NONE
		       ? rc
		       : userns_write_map(pid, ids, ids->uids, "uid_map", ids->uid, err);
}

int userns_become(const struct userns_ids *ids)
{
	const uint32_t uid = userns_map_own(ids, ids->uids, ids->uid),
		       gid = userns_map_own(ids, ids->gids, ids->gid);

	/* The caller may be mapped to 0: without this bit it would lose its capabilities with that number. */
	if (ids->guests && prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0) < 0)
		return -errno;
	/* The raw calls: libc's would signal threads, which only the parent has. */
	if (syscall(SYS_setresgid, gid, gid, gid) < 0)
		return -errno;
	if (ids->uid != USERNS_NONE && syscall(SYS_setresuid, uid, uid, uid) < 0)
		return -errno;
	return 0;
}
