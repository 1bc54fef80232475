/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the files of this family share: the device, a request, an operation
 *
 * A request of the guest is one chain: struct fuse_in_header, arguments, and perhaps data; then room for
 * struct fuse_out_header and the answer (linux/fuse.h; virtio 1.3 section 5.11). Its life has these steps:
 *
 *   loop             fs_request_begin()  copies header and arguments, checks them, resolves numbers to inodes and files
 *                    fs_lost.h           finds inodes that have no fd now
 *   loop or thread   op->run()           makes system calls; sees what the request holds, and no table
 *   loop             op->end()           changes tables;  fs_request_answer() writes the header, last
 *
 * So the tables belong to the loop, a request to the one who carries it out, and nothing is locked.
 */
#ifndef VMRUN_DEVICES_FS_FS_STATE_H
#define VMRUN_DEVICES_FS_FS_STATE_H

#include <fcntl.h>
#include <limits.h>
#include <linux/fuse.h>

#include "devices/core/settings.h"
#include "devices/core/virtqueue.h"
#include "devices/fs/fs_file.h"
#include "devices/fs/fs_find.h"
#include "devices/fs/fs_node.h"

#define FS_PAGES_MAX  256U /* of data in one request, 1 MiB */
#define FS_DATA_MAX   (FS_PAGES_MAX * 4096U)
#define FS_VALUE_MAX  65536U /* XATTR_SIZE_MAX */
#define FS_NAME_ROOM  (NAME_MAX + 1U)
#define FS_ARGS_MAX   (FS_VALUE_MAX + 2 * FS_NAME_ROOM + 512U)
#define FS_OUT_MAX    (sizeof(struct fuse_entry_out) + sizeof(struct fuse_open_out))
#define FS_HEAD_IOVS  16U	     /* a guest may cut the header anywhere */
#define FS_SLOTS      64U	     /* requests in work */
#define FS_WAITING    (FS_SLOTS / 2) /* of them, those that wait for locks */
#define FS_INTERRUPTS 16U

/* struct fs_op's flags */
#define FS_OP_CHANGES (1U << 0)	 /* refused on a read-only device */
#define FS_OP_FILE    (1U << 1)	 /* arguments begin with the number of an open file */
#define FS_OP_DIR     (1U << 2)	 /* likewise, of a directory */
#define FS_OP_NODE2   (1U << 3)	 /* arguments begin with the number of another inode */
#define FS_OP_FAST    (1U << 4)	 /* the loop carries it out, where the file system is quick */
#define FS_OP_TRY     (1U << 5)	 /* the loop tries it: -EAGAIN when it would have to wait */
#define FS_OP_WAITS   (1U << 6)	 /* never in the loop */
#define FS_OP_DATA    (1U << 7)	 /* data follows the arguments */
#define FS_OP_SILENT  (1U << 8)	 /* no answer */
#define FS_OP_FIRST   (1U << 9)	 /* also before FUSE_INIT */
#define FS_OP_UNNAMES (1U << 10) /* what had its names has them no more */
#define FS_OP_MAKES   (1U << 12) /* makes an inode: a security context may follow the names */
#define FS_OP_LOCK    (1U << 11) /* of an owner of locks: a struct fuse_lk_in */
#define FS_OP_LOOP    (1U << 12) /* the loop carries it out: it only changes tables */

struct fs;
struct fs_request;

/**
 * struct fs_op - An operation
 * @fixed:	Bytes of arguments of fixed size
 * @names:	Terminated names behind them
 * @flags:	FS_OP_*
 * @run:	Carry it out: 0 or -errno
 * @end:	Do what is left for the loop, if @run succeeded: 0 or -errno; NULL: nothing is
 */
struct fs_op {
	uint16_t fixed;
	uint8_t names;
	uint16_t flags;
	int (*run)(struct fs *fs, struct fs_request *r);
	int (*end)(struct fs *fs, struct fs_request *r);
};

/** struct fs_context - An attribute for what is made (fs_context.h); @name: NULL: none. All in the request's arguments */
struct fs_context {
	const char *name;
	const void *value;
	uint32_t bytes;
};

/**
 * struct fs_request - A request in work
 * @op:		NULL in a slot without one
 * @mounts:	Of the device, when it began
 * @wait:	What carrying it out may wait for: -EAGAIN where that is not enough
 * @node, @node2, @file, @file2: Held; NULL if the operation has none
 * @was:	What had the names before an operation that takes them away, held; NULL: unknown to the guest
 * @lost:	What is being found (fs_lost.h), held; NULL: nothing is, and the operation's time has come
 * @from, @path: Where the path to it begins, held; and the path
 * @moves, @tries: The table's when the path was made; how often something was looked for
 * @name:	Checked: each is one component, and neither "." nor ".."
 * @args:	@args_bytes of them; free for other use once they are read
 * @rc:		0 or -errno
 * @head:	Where the answer's header goes
 * @out:	The answer if it is of fixed size, @out_bytes of it
 * @moved:	Bytes of the answer that are in the chain already, behind the header
 * @found, @fd:	What @run has opened, for @end, or what was found again; -1: nothing
 * @lock:	Held, by this request alone
 * @context:	Of what it makes
 */
struct fs_request {
	const struct fs_op *op;
	unsigned int queue;
	uint32_t mounts;
	enum fs_wait wait;
	struct fuse_in_header in;
	struct fs_node *node, *node2, *was[2];
	struct fs_file *file, *file2;
	struct fs_node *lost, *from;
	uint32_t moves, tries;
	struct fs_lock *lock;
	struct fs_context context;
	const char *name[2];
	int rc;
	uint32_t args_bytes, out_bytes;
	uint64_t moved;
	struct fs_found found;
	int fd;
	unsigned int nr_head;
	struct iovec head[FS_HEAD_IOVS];
	uint8_t out[FS_OUT_MAX] __attribute__((aligned(8)));
	struct vq_chain chain;
	char path[PATH_MAX];
	uint8_t args[FS_ARGS_MAX] __attribute__((aligned(8)));
};

/**
 * struct fs_lock - The locks of one owner on one inode (fs_lock.h)
 * @node:	NULL in a free place
 * @file:	By way of which the last was taken: they end with it, and it holds @node
 * @fd:		Has the locks; -1: none yet
 * @is_flock:	Of flock(2); owners of fcntl(2) are others
 * @held:	It has locks
 * @busy:	A request has it
 * @gone:	Its locks end when that is over
 * @closing:	A thread has to close @fd; the place has no @node any more
 */
struct fs_lock {
	const struct fs_node *node;
	const struct fs_file *file;
	uint64_t owner;
	int fd;
	bool is_flock, held, busy, gone, closing;
};

/**
 * struct fs_locks - The table, and the requests that wait
 * @top:	Places from here on were never used
 * @waiting:	Oldest first. An rc other than -EAGAIN is its answer
 * @again:	A lock was given up since they were tried
 * @round:	So many are still to be tried
 * @interrupt:	Requests that were not waiting when the guest gave them up
 */
struct fs_locks {
	struct fs_lock *lock;
	uint32_t max, top, nr_closing;
	unsigned int nr_waiting, round, next_interrupt;
	bool again;
	struct fs_request *waiting[FS_WAITING];
	uint64_t interrupt[FS_INTERRUPTS];
};

/**
 * struct fs - State of one device
 *
 * The working directory of the process is its /proc/self/fd: the path of an inode is the number of its O_PATH fd.
 * @squash:	What the guest makes belongs to the process's own user
 * @writeback, @posix_acl, @security_ctx: Offered to the guest
 * @ready:	FUSE_INIT was answered
 * @mounts:	How often the guest mounted or unmounted: what was begun before has no effect
 * @flags:	Agreed at FUSE_INIT: FUSE_*, flags2 in the upper half
 * @valid_s:	How long the guest may believe names and attributes
 */
struct fs {
	bool read_only, squash, writeback, posix_acl, security_ctx, ready;
	enum fs_cache cache;
	uint32_t mounts;
	uint64_t flags;
	uint64_t valid_s;
	struct fs_nodes nodes;
	struct fs_files files;
	struct fs_locks locks;
};

/* How open(2) is called: the loop does not wait for who has a lease on a file; it gets -EAGAIN, and a thread the request */
static inline int fs_patience(const struct fs_request *r)
{
	return r->wait == FS_WAIT_SERVER ? 0 : O_NONBLOCK;
}

/* The arguments of fixed size, as the struct that the operation has */
#define FS_ARGS(r, type) ((const struct type *)(const void *)(r)->args)

/* The answer of fixed size, zeroed, as that struct */
#define FS_OUT(r, type)                                                                            \
	({                                                                                         \
		_Static_assert(sizeof(struct type) <= FS_OUT_MAX, "an answer");                    \
		(r)->out_bytes = sizeof(struct type);                                              \
		(struct type *)memset((r)->out, 0, sizeof(struct type));                           \
	})

#endif
