/* SPDX-License-Identifier: BSD-3-Clause */
#include "devices/fs/fs_ops.h"

#include <errno.h>
#include <string.h>

#include "devices/fs/fs_attr.h"
#include "devices/fs/fs_dir.h"
#include "devices/fs/fs_io.h"
#include "devices/fs/fs_lock.h"
#include "devices/fs/fs_name.h"
#include "devices/fs/fs_newer.h"
#include "devices/fs/fs_xattr.h"

#define FS_MINOR_MIN 31 /* Linux 5.4, the first with virtio-fs */

/* ---- FUSE_INIT ---- */

#define FS_WANTED                                                                                  \
	(FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_BIG_WRITES | FUSE_DO_READDIRPLUS |           \
	 FUSE_READDIRPLUS_AUTO | FUSE_ASYNC_DIO | FUSE_PARALLEL_DIROPS | FUSE_MAX_PAGES |          \
	 FUSE_SUBMOUNTS | FUSE_HANDLE_KILLPRIV_V2 | FUSE_INIT_EXT | FS_ALLOW_IDMAP)

/* What each way of caching adds */
static const struct {
	uint64_t flags, valid_s;
} fs_caches[] = {
	[FS_CACHE_AUTO] = {FUSE_AUTO_INVAL_DATA, 1},
	[FS_CACHE_NONE] = {FS_DIRECT_IO_ALLOW_MMAP, 0},
	[FS_CACHE_ALWAYS] = {FUSE_CACHE_SYMLINKS, 86400},
};

static uint64_t fs_init_wanted(const struct fs *fs)
{
	uint64_t flags = FS_WANTED | fs_caches[fs->cache].flags;

	flags |= fs->writeback ? FUSE_WRITEBACK_CACHE : 0;
	flags |= fs->security_ctx ? FUSE_SECURITY_CTX : 0;
	flags |= fs->locks.max > 0 ? FUSE_POSIX_LOCKS | FUSE_FLOCK_LOCKS : 0;
	return flags | (fs->posix_acl ? FUSE_POSIX_ACL | FUSE_DONT_MASK | FUSE_SETXATTR_EXT : 0);
}

void fs_op_forget(struct fs *fs)
{
	fs_locks_drop(fs);
	fs_files_drop(&fs->files);
	fs_nodes_forget(&fs->nodes);
	fs->ready = false;
	fs->mounts++;
}

static int fs_init(struct fs *fs, struct fs_request *r)
{
	const struct fuse_init_in *in = FS_ARGS(r, fuse_init_in);
	const uint32_t minor = in->minor < FS_MINOR_MAX ? in->minor : FS_MINOR_MAX;
	struct fuse_init_out *out = FS_OUT(r, fuse_init_out);
	uint64_t offered = in->flags;

	/* A guest with a newer major number tries again with ours. */
	if (in->major < FUSE_KERNEL_VERSION ||
	    (in->major == FUSE_KERNEL_VERSION && in->minor < FS_MINOR_MIN))
		return -EPROTO;
	if (in->flags & FUSE_INIT_EXT && r->args_bytes >= sizeof(*in))
		offered |= (uint64_t)in->flags2 << 32;
	fs_op_forget(fs);
	fs->flags = offered & fs_init_wanted(fs);
	fs->valid_s = fs_caches[fs->cache].valid_s;
	*out = (struct fuse_init_out){
		.major = FUSE_KERNEL_VERSION,
		.minor = in->major == FUSE_KERNEL_VERSION ? minor : FS_MINOR_MAX,
		.max_readahead = in->max_readahead,
		.flags = (uint32_t)fs->flags,
		.flags2 = (uint32_t)(fs->flags >> 32),
		.max_background = FS_SLOTS,
		.congestion_threshold = FS_SLOTS / 4 * 3,
		.max_write = FS_DATA_MAX,
		.time_gran = 1,
		.max_pages = FS_PAGES_MAX,
	};
	fs->ready = in->major == FUSE_KERNEL_VERSION;
	return 0;
}

static int fs_destroy(struct fs *fs, struct fs_request *r UNUSED)
{
	fs_op_forget(fs);
	return 0;
}

/* All but those that wait for locks end by themselves. */
static int fs_interrupt(struct fs *fs, struct fs_request *r)
{
	fs_lock_interrupt(&fs->locks, FS_ARGS(r, fuse_interrupt_in)->unique);
	return 0;
}

/* ---- the table ---- */

#define BYTES(type) sizeof(struct type)

static const struct fs_op fs_ops[] = {
	[FUSE_LOOKUP] = {0, 1, FS_OP_TRY, fs_name_lookup, fs_entry_end},
	[FUSE_FORGET] = {BYTES(fuse_forget_in), 0, FS_OP_SILENT, fs_attr_forget, NULL},
	[FUSE_GETATTR] = {BYTES(fuse_getattr_in), 0, FS_OP_FAST, fs_attr_get, NULL},
	[FUSE_SETATTR] = {BYTES(fuse_setattr_in), 0, FS_OP_CHANGES, fs_attr_set, NULL},
	[FUSE_READLINK] = {0, 0, FS_OP_FAST, fs_name_readlink, NULL},
	[FUSE_SYMLINK] = {0, 2, FS_OP_CHANGES | FS_OP_MAKES, fs_name_symlink, fs_entry_end},
	[FUSE_MKNOD] = {BYTES(fuse_mknod_in), 1, FS_OP_CHANGES | FS_OP_MAKES, fs_name_mknod,
			fs_entry_end},
	[FUSE_MKDIR] = {BYTES(fuse_mkdir_in), 1, FS_OP_CHANGES | FS_OP_MAKES, fs_name_mkdir,
			fs_entry_end},
	[FUSE_UNLINK] = {0, 1, FS_OP_CHANGES | FS_OP_UNNAMES, fs_name_unlink, fs_name_removed},
	[FUSE_RMDIR] = {0, 1, FS_OP_CHANGES | FS_OP_UNNAMES, fs_name_rmdir, fs_name_removed},
	[FUSE_RENAME] = {BYTES(fuse_rename_in), 2, FS_OP_CHANGES | FS_OP_NODE2 | FS_OP_UNNAMES,
			 fs_name_rename, fs_name_renamed},
	[FUSE_LINK] = {BYTES(fuse_link_in), 1, FS_OP_CHANGES | FS_OP_NODE2, fs_name_link,
		       fs_entry_end},
	[FUSE_OPEN] = {BYTES(fuse_open_in), 0, FS_OP_FAST, fs_io_open, fs_io_open_end},
	[FUSE_READ] = {BYTES(fuse_read_in), 0, FS_OP_FILE | FS_OP_TRY, fs_io_read, NULL},
	[FUSE_WRITE] = {BYTES(fuse_write_in), 0, FS_OP_CHANGES | FS_OP_FILE | FS_OP_DATA,
			fs_io_write, NULL},
	[FUSE_STATFS] = {0, 0, FS_OP_FAST, fs_attr_statfs, NULL},
	[FUSE_RELEASE] = {BYTES(fuse_release_in), 0, FS_OP_FILE | FS_OP_LOOP, fs_io_release,
			  fs_lock_release},
	[FUSE_FSYNC] = {BYTES(fuse_fsync_in), 0, FS_OP_FILE | FS_OP_WAITS, fs_io_fsync, NULL},
	[FUSE_SETXATTR] = {FUSE_COMPAT_SETXATTR_IN_SIZE, 1, FS_OP_CHANGES | FS_OP_DATA,
			   fs_xattr_set, NULL},
	[FUSE_GETXATTR] = {BYTES(fuse_getxattr_in), 1, FS_OP_FAST, fs_xattr_get, NULL},
	[FUSE_LISTXATTR] = {BYTES(fuse_getxattr_in), 0, FS_OP_FAST, fs_xattr_list, NULL},
	[FUSE_REMOVEXATTR] = {0, 1, FS_OP_CHANGES, fs_xattr_remove, NULL},
	[FUSE_FLUSH] = {BYTES(fuse_flush_in), 0, FS_OP_FILE, fs_io_flush, fs_lock_flush},
	[FUSE_INIT] = {offsetof(struct fuse_init_in, flags2), 0, FS_OP_FIRST | FS_OP_FAST, fs_init,
		       NULL},
	[FUSE_OPENDIR] = {BYTES(fuse_open_in), 0, FS_OP_FAST, fs_io_opendir, fs_io_opendir_end},
	[FUSE_READDIR] = {BYTES(fuse_read_in), 0, FS_OP_DIR, fs_dir_read, NULL},
	[FUSE_RELEASEDIR] = {BYTES(fuse_release_in), 0, FS_OP_DIR | FS_OP_LOOP, fs_io_release,
			     NULL},
	[FUSE_FSYNCDIR] = {BYTES(fuse_fsync_in), 0, FS_OP_DIR | FS_OP_WAITS, fs_io_fsync, NULL},
	[FUSE_GETLK] = {BYTES(fuse_lk_in), 0, FS_OP_FILE | FS_OP_LOCK | FS_OP_FAST, fs_lock_get,
			NULL},
	[FUSE_SETLK] = {BYTES(fuse_lk_in), 0, FS_OP_FILE | FS_OP_LOCK | FS_OP_FAST, fs_lock_set,
			NULL},
	[FUSE_SETLKW] = {BYTES(fuse_lk_in), 0, FS_OP_FILE | FS_OP_LOCK | FS_OP_FAST, fs_lock_set,
			 NULL},
	[FUSE_CREATE] = {BYTES(fuse_create_in), 1, FS_OP_CHANGES | FS_OP_MAKES, fs_name_create,
			 fs_io_create_end},
	[FUSE_INTERRUPT] = {BYTES(fuse_interrupt_in), 0, FS_OP_FIRST | FS_OP_SILENT, fs_interrupt,
			    NULL},
	[FUSE_DESTROY] = {0, 0, FS_OP_FIRST | FS_OP_FAST, fs_destroy, NULL},
	[FUSE_BATCH_FORGET] = {BYTES(fuse_batch_forget_in), 0,
			       FS_OP_FIRST | FS_OP_SILENT | FS_OP_DATA, fs_attr_batch_forget, NULL},
	[FUSE_FALLOCATE] = {BYTES(fuse_fallocate_in), 0, FS_OP_CHANGES | FS_OP_FILE | FS_OP_WAITS,
			    fs_io_fallocate, NULL},
	[FUSE_READDIRPLUS] = {BYTES(fuse_read_in), 0, FS_OP_DIR, fs_dir_read_plus,
			      fs_dir_read_plus_end},
	[FUSE_RENAME2] = {BYTES(fuse_rename2_in), 2, FS_OP_CHANGES | FS_OP_NODE2 | FS_OP_UNNAMES,
			  fs_name_rename2, fs_name_renamed},
	[FUSE_LSEEK] = {BYTES(fuse_lseek_in), 0, FS_OP_FILE, fs_io_lseek, NULL},
	[FUSE_COPY_FILE_RANGE] = {BYTES(fuse_copy_file_range_in), 0,
				  FS_OP_CHANGES | FS_OP_FILE | FS_OP_WAITS, fs_io_copy, NULL},
	[FUSE_SYNCFS] = {BYTES(fuse_syncfs_in), 0, FS_OP_WAITS, fs_io_syncfs, NULL},
	[FS_STATX] = {BYTES(fs_statx_in), 0, FS_OP_FAST, fs_attr_statx, NULL},
	[FUSE_TMPFILE] = {BYTES(fuse_create_in), 0, FS_OP_CHANGES | FS_OP_MAKES, fs_name_tmpfile,
			  fs_io_create_end},
};

const struct fs_op *fs_op_find(const struct fs *fs, uint32_t opcode)
{
	static const struct fs_op unknown;
	static const struct fs_op setxattr_ext = {BYTES(fuse_setxattr_in), 1,
						  FS_OP_CHANGES | FS_OP_DATA, fs_xattr_set, NULL};

	if (opcode == FUSE_SETXATTR && fs->flags & FUSE_SETXATTR_EXT)
		return &setxattr_ext;
	return opcode < ARRAY_SIZE(fs_ops) ? &fs_ops[opcode] : &unknown;
}

bool fs_op_takes_path(uint32_t opcode, unsigned int i)
{
	return (opcode == FUSE_SYMLINK && i == 1) || opcode == FUSE_SETXATTR ||
	       opcode == FUSE_GETXATTR || opcode == FUSE_REMOVEXATTR;
}

bool fs_op_second_file(const struct fs_request *r, uint64_t *ret_fh)
{
	if (r->in.opcode == FUSE_COPY_FILE_RANGE)
		*ret_fh = FS_ARGS(r, fuse_copy_file_range_in)->fh_out;
	else if (r->in.opcode == FUSE_SETATTR && FS_ARGS(r, fuse_setattr_in)->valid & FATTR_FH)
		*ret_fh = FS_ARGS(r, fuse_setattr_in)->fh;
	else
		return false;
	return true;
}
