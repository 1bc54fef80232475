/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What a jailed process receives before anything else
 *
 * A jailed process receives one boot record, the first message on its control socket, and its fds in
 * named slots; it opens nothing. What follows on that socket is ctl.h's.
 *
 * The supervisor and the jailed programs are built together: layouts may change with any commit, and
 * BOOT_VERSION with them.
 */
#ifndef VMRUN_DEVICES_CORE_BOOT_H
#define VMRUN_DEVICES_CORE_BOOT_H

#include <linux/filter.h>

#include "devices/core/base.h"
#include "devices/core/err.h"

#define BOOT_MAGIC	    0x746f6f62 /* "boot" */
#define BOOT_VERSION	    8
#define BOOT_NAME_BYTES	    16
#define BOOT_VCPUS_MAX	    32	 /* vCPUs of one VM */
#define BOOT_DEVICES_MAX    24	 /* devices of one VM */
#define BOOT_FILTER_MAX	    1024 /* BPF instructions of one policy, or of the two of a device */
#define BOOT_CMDLINE_MAX    2048 /* bytes with the terminator: COMMAND_LINE_SIZE of Linux on x86 */
#define BOOT_RES_MAX	    8	 /* resource fds of one device */
#define BOOT_QUEUES_MAX	    16	 /* queues of one device */
#define BOOT_SETTINGS_MAX   1536 /* bytes of one device's settings */
#define BOOT_CONFIG_MAX	    40	 /* bytes of a configuration space that the VMM gives */
#define BOOT_INFLIGHT_BYTES 131072 /* memory in which one device notes what is in flight */

/**
 * enum boot_slot - The fd numbers of a jailed process; 0, 1 and 2 are /dev/null, of an fs device an empty pipe
 */
enum boot_slot {
	BOOT_FD_CONTROL = 3, /* control socket to the supervisor */
	BOOT_FD_LOG = 4,     /* write end of a pipe, see log.h */
	/* the VMM */
	BOOT_FD_RAM = 5,    /* guest RAM (runtime/host/ram.h) */
	BOOT_FD_KVM = 6,    /* /dev/kvm */
	BOOT_FD_KERNEL = 7, /* read-only */
	BOOT_FD_INITRD = 8, /* read-only; /dev/null when there is none (BOOT_VMM_INITRD not set) */
	BOOT_FD_DEVICE = 9, /* + i: socket to device i; behind them, if any device returns, by device: */
			    /* BOOT_INFLIGHT_BYTES of memory; /dev/null for one that does not */
	/* a device */
	BOOT_FD_VMM = 5, /* socket to the VMM: vhost-user, or the protocol of serial_msg.h */
	BOOT_FD_RES = 6, /* + i: resource i (disk image; serial input, output) */
};

enum boot_kind { BOOT_KIND_VMM = 1, BOOT_KIND_DEVICE = 2 };

/**
 * struct boot_hdr - Head of every boot record
 * @bytes:	Size of the whole record
 * @log_level:	enum log_level
 */
struct boot_hdr {
	uint32_t magic;
	uint16_t version;
	uint16_t kind;
	uint32_t bytes;
	uint32_t log_level;
};

#define BOOT_FILTER_NONE (1U << 0)

/**
 * struct boot_filter - The process's seccomp programs
 * @count:	Instructions of the first; 0 is refused, unless @flags say that there is none
 * @flags:	BOOT_FILTER_NONE: the user wants no sandbox, so the process locks nothing down
 * @later:	Of a second one behind it, which a device loads as soon as it has its memory; 0: there is no second
 */
struct boot_filter {
	uint32_t count;
	uint32_t flags;
	uint32_t later;
	struct sock_filter insn[BOOT_FILTER_MAX];
};

#define BOOT_DEV_READONLY (1U << 0) /* block: refuse writes, offer VIRTIO_BLK_F_RO */
#define BOOT_DEV_ALONE	  (1U << 1) /* front-ends come by CTL_FRONT_END, BOOT_FD_VMM is none */
#define BOOT_DEV_RAW_BLK  (1U << 2) /* block: resource 0 is a block device, not a file */
#define BOOT_DEV_SQUASH	  (1U << 3) /* fs: what the guest makes belongs to the device's own user */

/**
 * struct boot_dev - Boot record of a device
 * @hdr:	kind BOOT_KIND_DEVICE
 * @name:	Instance, unique in the VM ("block0"), terminated
 * @type:	device_ops' name, terminated
 * @flags:	BOOT_DEV_*
 * @nr_res:	Resource fds present from BOOT_FD_RES on
 * @nr_queues:	0 = the device's default
 * @settings:	The kind's own (settings.h), @settings_bytes of them, then zeros; the device checks them
 */
struct boot_dev {
	struct boot_hdr hdr;
	char name[BOOT_NAME_BYTES];
	char type[BOOT_NAME_BYTES];
	uint32_t flags;
	uint16_t nr_res;
	uint16_t nr_queues;
	uint32_t settings_bytes;
	uint32_t reserved;
	uint8_t settings[BOOT_SETTINGS_MAX];
	struct boot_filter filter;
};

enum boot_bus { BOOT_BUS_NONE, BOOT_BUS_VIRTIO, BOOT_BUS_SERIAL };

#define BOOT_VMM_INITRD (1U << 0)

/* Of one device of the VMM */
#define BOOT_VMM_OTHERS	 (1U << 0) /* the socket is that of a back-end of others */
#define BOOT_VMM_RETURNS (1U << 1) /* when it has died, CTL_DEVICE brings another socket */

/**
 * struct boot_vmm - Boot record of the VMM
 * @hdr:	kind BOOT_KIND_VMM
 * @mem_bytes:	Guest RAM, the size of its file
 * @nr_vcpus:	1 to 32
 * @nr_devices:	Sockets present from BOOT_FD_DEVICE on, described by @device
 * @flags:	BOOT_VMM_INITRD
 * @device.config: The configuration space, where the VMM gives it because the device does not;
 *		@device.config_bytes of it, then zeros; 0: the device gives it
 * @cmdline:	Kernel command line, terminated
 */
struct boot_vmm {
	struct boot_hdr hdr;
	uint64_t mem_bytes;
	uint32_t nr_vcpus;
	uint32_t nr_devices;
	uint32_t flags;
	uint32_t reserved;
	struct boot_vmm_device {
		char name[BOOT_NAME_BYTES];
		uint16_t bus; /* enum boot_bus */
		uint16_t virtio_id;
		uint16_t flags; /* BOOT_VMM_OTHERS, BOOT_VMM_RETURNS */
		uint16_t config_bytes;
		uint8_t config[BOOT_CONFIG_MAX];
	} device[BOOT_DEVICES_MAX];
	char cmdline[BOOT_CMDLINE_MAX];
	struct boot_filter filter;
};

/**
 * boot_check_vmm() - Check the VMM's boot record
 * @bytes:	How many were received
 *
 * Every count, flag, enum and terminator is checked: our own records are not trusted either.
 * Context: any
 * Syscalls: none
 * Return: 0, or -EPROTO for a record that breaks a rule
 */
MUST_CHECK int boot_check_vmm(const struct boot_vmm *b, size_t bytes, struct err *err);

/**
 * boot_check_dev() - Check a device's boot record
 * @bytes:	How many were received
 *
 * As boot_check_vmm(). The values of the settings are left to the device's init.
 * Context: any
 * Syscalls: none
 * Return: 0, or -EPROTO for a record that breaks a rule
 */
MUST_CHECK int boot_check_dev(const struct boot_dev *b, size_t bytes, struct err *err);

/**
 * boot_recv_vmm() - Receive and check the VMM's boot record
 * @ret:	Received in place: meaningless after a failure
 *
 * Context: setup
 * Syscalls: recvmsg
 * Return: 0, -EPROTO for a record that breaks a rule, else -errno
 */
MUST_CHECK int boot_recv_vmm(int control, struct boot_vmm *ret, struct err *err);

/**
 * boot_recv_dev() - Receive and check a device's boot record
 * @ret:	Received in place: meaningless after a failure
 *
 * Context: setup
 * Syscalls: recvmsg
 * Return: 0, -EPROTO for a record that breaks a rule, else -errno
 */
MUST_CHECK int boot_recv_dev(int control, struct boot_dev *ret, struct err *err);

/**
 * boot_set_settings() - Put a device's settings into its record; the supervisor's side
 * @bytes:	Up to BOOT_SETTINGS_MAX
 */
void boot_set_settings(struct boot_dev *b, const void *settings, size_t bytes);

/**
 * boot_settings() - Copy a device's settings out of its record
 * @ret:	Filled with @bytes of them; the values are the caller's to check
 *
 * Context: any
 * Syscalls: none
 * Return: 0, or -EPROTO when the record has another number of bytes
 */
MUST_CHECK int boot_settings(const struct boot_dev *b, void *ret, size_t bytes, struct err *err);

/**
 * boot_send() - Send a boot record; the supervisor's side
 * @rec:	struct boot_vmm or struct boot_dev with its header filled in
 *
 * Context: setup
 * Syscalls: sendto
 * Return: 0 or -errno
 */
MUST_CHECK int boot_send(int control, const void *rec, size_t bytes, struct err *err);

#endif
