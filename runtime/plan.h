/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The plan: everything create is going to do, as data
 *
 * config.json -> struct bundle -> struct plan. plan_build() is pure: it opens nothing, asks the host
 * nothing, and its output can be printed (create --dry-run) and compared with a golden file. The
 * supervisor carries a plan out and undoes it in reverse.
 */
#ifndef VMRUN_RUNTIME_PLAN_H
#define VMRUN_RUNTIME_PLAN_H

#include <json-c/json.h>

#include "devices/core/boot.h"
#include "devices/core/err.h"

struct bundle;

#define PLAN_ID_BYTES  256
#define PLAN_PATH_MAX  4096
#define PLAN_PROCS_MAX (1 + BOOT_DEVICES_MAX)
#define PLAN_FDS_MAX   (BOOT_FD_DEVICE + BOOT_DEVICES_MAX)
#define PLAN_WARNINGS_MAX 32

/**
 * enum plan_fd_source - Where an inherited fd comes from
 */
enum plan_fd_source {
	PLAN_FD_NONE,
	PLAN_FD_NULL,    /* /dev/null */
	PLAN_FD_CONTROL, /* the process's end of its control socketpair */
	PLAN_FD_LOG,     /* the write end of its log pipe */
	PLAN_FD_RAM,     /* the guest RAM memfd */
	PLAN_FD_KVM,     /* /dev/kvm */
	PLAN_FD_FILE,    /* @path, opened by assets_open() */
	PLAN_FD_LINK,    /* an end of the socketpair VMM <-> device number @index */
	PLAN_FD_STDIN,   /* create's own standard input, a terminal or pipe opened anew */
	PLAN_FD_STDOUT,  /* likewise */
	PLAN_FD_CONSOLE, /* the slave of the pty whose master goes to --console-socket */
};

/**
 * enum plan_file - What a PLAN_FD_FILE is, and so how it is checked when opened
 */
enum plan_file { PLAN_FILE_KERNEL, PLAN_FILE_INITRD, PLAN_FILE_DISK };

struct plan_fd {
	enum plan_fd_source source;
	enum plan_file file;
	bool writable;
	unsigned int index;
	char *path;    /* absolute; NULL unless PLAN_FD_FILE */
	char *pointer; /* JSON pointer it came from, for errors; NULL likewise */
};

/**
 * struct plan_proc - One process to spawn
 * @name:	"vmm", "block0", "rng0", "serial0"
 * @program:	File name in the libexec directory
 * @policy:	Name in the policy table
 * @type:	For devices: device_ops' name; NULL for the VMM
 * @fd:		By slot number: fd[n] becomes fd n of the process
 * @writes_file: Whether it may have a regular file to write; RLIMIT_FSIZE is 0 otherwise
 */
struct plan_proc {
	char name[BOOT_NAME_BYTES];
	const char *program;
	const char *policy;
	const char *type;
	uint16_t virtio_id; /* 0: not virtio */
	uint16_t bus;       /* enum boot_bus */
	uint16_t nr_queues;
	uint32_t dev_flags; /* BOOT_DEV_* known without looking at the host */
	uint8_t serial[BOOT_SERIAL_BYTES];
	unsigned int nr_fds;
	struct plan_fd fd[PLAN_FDS_MAX];
	bool writes_file;
};

/**
 * struct plan_cgroup - Placement and limits; -1 or 0 = leave alone as documented per field
 * @path:	Below the cgroup mount, starts with '/'
 */
struct plan_cgroup {
	char *path;
	int64_t memory_max_bytes; /* -1 unset */
	int64_t cpu_quota_us;     /* -1 unset */
	uint64_t cpu_period_us;   /* 0 unset */
	uint64_t cpu_shares;      /* 0 unset */
	int64_t pids_max;         /* -1 unset; recorded, applied to the guest, never to the host */
	char *cpuset_cpus;        /* NULL unset */
	char *cpuset_mems;
};

/**
 * struct plan - One VM
 * @proc:	[0] is the VMM, [1 + i] is device i: the serial port, the disks (the image, then
 *		/vm/devices in its order), the entropy sources
 * @warning:	One line each: what the config asks for and this version does not carry out
 */
struct plan {
	char id[PLAN_ID_BYTES];
	char *bundle_path; /* absolute */
	uint64_t mem_bytes;
	uint32_t nr_vcpus;
	char cmdline[BOOT_CMDLINE_MAX];
	bool has_initrd;
	bool terminal;
	struct plan_cgroup cgroup;
	unsigned int nr_procs;
	struct plan_proc *proc;
	unsigned int nr_warnings;
	char *warning[PLAN_WARNINGS_MAX];
	struct json_object *annotations; /* object or NULL; owned */
};

/**
 * plan_build() - Make the plan of a bundle
 * @id:		Checked by state_check_id() before
 *
 * Context: setup.  Syscalls: none but the heap's
 * Return: 0 with *ret owned by the caller (plan_free), or -EINVAL
 */
MUST_CHECK int plan_build(const struct bundle *b, const char *id, struct plan **ret,
			  struct err *err);
void plan_free(struct plan *p);

/** plan_to_json() - The plan as create --dry-run prints it; the caller's, json_object_put() it */
struct json_object *plan_to_json(const struct plan *p);

#endif
