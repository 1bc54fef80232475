/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/host/vhost_files.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/vhost.h>
#include <sys/ioctl.h>

#include "runtime/util/device_file.h"

static const char *vhost_files_net_pointer(const struct plan *p, unsigned int proc)
{
	unsigned int i = 0;

	while (i < p->nr_nets && p->net[i].proc != proc)
		i++;
	return i < p->nr_nets ? p->net[i].pointer : "";
}

static int vhost_files_get(const char *path, const char *module, const char *pointer, int *ret_fd,
			   struct err *err)
{
	const int fd = device_file_open(AT_FDCWD, path, O_RDWR);

	if (fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	if (fd == -EACCES || fd == -EPERM)
		return err_set(err, -fd, "%s/backend: %s (be root; backend user does not need it)",
			       pointer, path);
	return err_set(err, -fd, "%s/backend: %s (modprobe %s; backend user does not need it)",
		       pointer, path, module);
}

static int vhost_files_get_vsock(const struct plan_vsock *v, int *ret_fd, struct err *err)
{
	const uint64_t cid = v->cid;
	cleanup_fd int fd = -1;
	int rc = vhost_files_get("/dev/vhost-vsock", "vhost_vsock", v->pointer, &fd, err);

	if (rc < 0)
		return rc;
	if (ioctl(fd, VHOST_VSOCK_SET_GUEST_CID, &cid) < 0)
		return errno == EADDRINUSE
			       ? err_text(err, EADDRINUSE,
					  "%s/cid: %u is the CID of another guest of this host",
					  v->pointer, v->cid)
			       : err_set(err, errno, "%s/cid: %u", v->pointer, v->cid);
	*ret_fd = TAKE_FD(fd);
	return 0;
}

int vhost_files_open(const struct plan *p, unsigned int proc, unsigned int slot, int *ret_fd,
		     struct err *err)
{
	const enum plan_fd_source source = p->proc[proc].fd[slot].source;

	if (source == PLAN_FD_VHOST_VSOCK)
		return vhost_files_get_vsock(&p->vsock, ret_fd, err);
	if (source == PLAN_FD_VHOST_NET)
		return vhost_files_get("/dev/vhost-net", "vhost_net",
				       vhost_files_net_pointer(p, proc), ret_fd, err);
	return 0;
}
