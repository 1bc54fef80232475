/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: What the supervisor and its jailed processes say to each other
 *
 * The control socket is an AF_UNIX, SOCK_SEQPACKET pair. After its boot record (boot.h) a process answers
 * CTL_READY or CTL_FAILED. From then on small fixed messages cross, each with a rule: who sends it, and
 * when. The process exits at the socket's end of file.
 */
#ifndef VMRUN_DEVICES_CORE_CTL_H
#define VMRUN_DEVICES_CORE_CTL_H

#include "devices/core/base.h"
#include "devices/core/err.h"

/**
 * enum end_cause - Why a VM ended
 *
 * README.md has the table of exit codes; runtime/state/cause.c is its source.
 */
enum end_cause {
	END_NONE,
	END_POWEROFF,	  /* the guest entered S5 */
	END_RESET,	  /* the guest asked for a reset (i8042, ACPI reset register, port 0xcf9) */
	END_PANIC,	  /* the guest's kernel wrote to pvpanic */
	END_TRIPLE_FAULT, /* KVM_EXIT_SHUTDOWN */
	END_KVM_ERROR,	  /* KVM_EXIT_INTERNAL_ERROR, KVM_EXIT_FAIL_ENTRY, an unknown exit */
	END_VMM_KILLED,	  /* the VMM process died */
	END_DEVICE_KILLED,     /* a device process died, or the VMM gave up on it */
	END_KILLED,	       /* vmrun kill ID KILL, or a delete --force */
	END_SUPERVISOR_KILLED, /* noticed by the next command */
	END_OOM_KILLED,	       /* the kernel killed one of its processes to free memory */
	END_EXITED,	       /* the container's process ended, or did not begin */
	END_INIT_LOST,	       /* the guest's vmrun-init ended, or broke its protocol */
	END_CAUSES,
};

/**
 * enum ctl_type - Messages on the control socket
 */
enum ctl_type {
	/* process -> supervisor, once: jailed, filtered, prepared */
	CTL_READY = 1,
	/* process -> supervisor, once, instead of READY: code = errno, text */
	CTL_FAILED,
	/* VMM -> supervisor, any time: arg = CLOCK_MONOTONIC ns, text = phase name */
	CTL_PHASE,
	/*
	 * VMM -> supervisor, once, after START (END_DEVICE_KILLED: after READY): code = enum end_cause,
	 * END_POWEROFF to END_KVM_ERROR or that, text
	 */
	CTL_ENDED,
	/*
	 * supervisor -> VMM, before START: a piece of what will be appended to the kernel's command line, arg
	 * = bytes of the pieces before it; 0 begins anew
	 */
	CTL_CMDLINE,
	/*
	 * supervisor -> VMM, after READY, once if it goes well: arg = bytes of the pieces; 0 appends nothing.
	 * value[0..1] = 16 random bytes: the generation of the VM. code: a bit for each device, counted as in
	 * the boot record, that the guest is not to see. Answered by DONE
	 */
	CTL_START,
	/* supervisor -> VMM, after START, any number */
	CTL_POWER_BUTTON,
	/* supervisor -> VMM, after START, any number */
	CTL_CTRL_ALT_DEL,
	/*
	 * supervisor -> VMM, after START, while it is not paused. DONE comes when no vCPU runs and no device
	 * works for the guest
	 */
	CTL_PAUSE,
	/*
	 * supervisor -> VMM, after PAUSE, also if it failed; ends one not DONE yet, with ECANCELED.
	 * value[0..1] = the next generation. Answered by DONE: value[0] = 1 + number of a device for which
	 * PAUSE was still waiting; 0: none
	 */
	CTL_RESUME,
	/*
	 * supervisor -> network device, after READY and before the VMM's START: arg = MAC (ctl_mac), code =
	 * MTU; 0 keeps it; CTL_NET_DOWN in code: the link is down. May bring a file: a struct net_lease.
	 * Answered by DONE
	 */
	CTL_NET,
	/*
	 * supervisor -> balloon, after READY, any number: code = CTL_BALLOON_SET: arg = bytes it is to have;
	 * 0: only tell. DONE: value by enum ctl_balloon
	 */
	CTL_BALLOON,
	/*
	 * supervisor -> balloon, likewise: code = 1: ask the guest for new ones. DONE: value by enum
	 * ctl_balloon_stats, those that came last
	 */
	CTL_BALLOON_STATS,
	/*
	 * supervisor -> console, after READY, with a stream socket: a user of the port named by text, of hvc0
	 * without. Answered by DONE
	 */
	CTL_CONSOLE_ATTACH,
	/*
	 * supervisor -> console, after READY: arg = columns << 16 | rows of the terminal at hvc0. Answered by
	 * DONE
	 */
	CTL_CONSOLE_SIZE,
	/* supervisor -> console, after READY, with the log file, opened anew. Answered by DONE */
	CTL_CONSOLE_LOG,
	/*
	 * VMM, device -> supervisor, the answer: code = 0 and values, or errno and text; after an errno
	 * nothing changed, and the request may come again. A process answers requests in the order in which
	 * they came
	 */
	CTL_DONE,
	/* VMM -> supervisor, any time: text = a device that has not answered for code ms */
	CTL_LATE,
	/*
	 * supervisor -> vsock device, after READY: a connection to the guest's port arg, CTL_VSOCK_* in code,
	 * its host's end as file. Answered by DONE, value 0 = the host's port. CTL_VSOCK_HALF alone: the
	 * reading end of the connection that comes next. To a vhost_vsock: the guest's end by HALF, then the
	 * program's, arg = the host's port
	 */
	CTL_VSOCK_CONNECT,
	/*
	 * vsock device -> supervisor, after READY, few open: the guest connects to the host's port code, value
	 * 0 = whether seqpacket; arg = ticket
	 */
	CTL_VSOCK_ASK,
	/*
	 * supervisor -> vsock device, for each ASK one: arg = ticket, the host's end as file, without one it
	 * is refused. Answered by DONE
	 */
	CTL_VSOCK_FOUND,
	/*
	 * supervisor -> vsock device, after READY: connections with the guest's port arg are over; value = the
	 * host's port of each, 0: none. What the guest sent still goes to the host's end. One that is over
	 * already stays so. Answered by DONE
	 */
	CTL_VSOCK_END,
	/*
	 * VMM -> supervisor, after READY: text = a device that returns (BOOT_VMM_RETURNS) and whose connection
	 * has ended; arg = which one: 0 the first, then DEVICE's
	 */
	CTL_LOST,
	/*
	 * supervisor -> VMM, after READY: text = a device that returns, arg = number of the connection, which
	 * comes with the message
	 */
	CTL_DEVICE,
	/*
	 * supervisor -> stand-alone device, after READY and the last LEFT: a front-end's connection comes with
	 * it
	 */
	CTL_FRONT_END,
	/*
	 * stand-alone device -> supervisor, before LEFT: the front-end asks for memory for what is in flight.
	 * value by enum ctl_region. The supervisor answers the front-end
	 */
	CTL_REGION,
	/* stand-alone device -> supervisor: it has closed the front-end's connection */
	CTL_LEFT,
	CTL_TYPES,
};

#define CTL_VALUES 12

/**
 * struct ctl_msg - One message, always sent whole
 * @value:	What a message has to say in numbers; 0 where it says nothing
 * @text:	Terminated
 */
struct ctl_msg {
	uint32_t type;
	uint32_t code;
	uint64_t arg;
	uint64_t value[CTL_VALUES];
	char text[ERR_MSG_BYTES];
};

#define CTL_NET_DOWN	(1U << 31)

#define CTL_BALLOON_SET 1

/** enum ctl_balloon - Values of a CTL_BALLOON: bytes that the balloon is to have, and has */
enum ctl_balloon { CTL_BALLOON_TARGET, CTL_BALLOON_ACTUAL };

/**
 * enum ctl_balloon_stats - Values of a CTL_BALLOON_STATS
 * @CTL_BALLOON_UPDATES: How often the guest has sent statistics
 * @CTL_BALLOON_KNOWN: A bit for each that it sent, by tag (VIRTIO_BALLOON_S_*); CTL_BALLOON_ANSWERS: the
 *		guest has a driver that answers when it is asked for new ones
 * @CTL_BALLOON_STAT: + tag: the number
 */
enum ctl_balloon_stats { CTL_BALLOON_UPDATES, CTL_BALLOON_KNOWN, CTL_BALLOON_STAT };

/** enum ctl_region - Values of a CTL_REGION: rings, entries of each, bytes of the answer's payload */
enum ctl_region { CTL_REGION_QUEUES, CTL_REGION_ENTRIES, CTL_REGION_PAYLOAD };

#define CTL_BALLOON_ANSWERS  (1ULL << 63)
#define CTL_BALLOON_STATS_NR 10 /* the tags of virtio 1.3 */
_Static_assert(CTL_BALLOON_STAT + CTL_BALLOON_STATS_NR <= CTL_VALUES, "room for statistics");
/* Of a host's end that is handed in: not blocking, unless it is lent; a socket of a seqpacket connection has SO_PEEK_OFF set */
#define CTL_VSOCK_IN	    (1U << 0) /* it is read */
#define CTL_VSOCK_OUT	    (1U << 1) /* it is written */
#define CTL_VSOCK_HALF	    (1U << 2) /* it is read, and another, with the next message, is written */
#define CTL_VSOCK_SEQPACKET (1U << 3)
#define CTL_VSOCK_GREET	    (1U << 4) /* when the guest accepts, "OK <host port>" is written first */
#define CTL_VSOCK_LENT	    (1U << 5) /* a stream socket that others use too, and that may block them: its mode stays */
#define CTL_VSOCK_FLAGS                                                                            \
	(CTL_VSOCK_IN | CTL_VSOCK_OUT | CTL_VSOCK_SEQPACKET | CTL_VSOCK_GREET | CTL_VSOCK_LENT)

/** ctl_mac() - A MAC as CTL_NET's arg: 48 bits, the first byte on the wire on top */
static inline uint64_t ctl_mac(const uint8_t mac[6])
{
	uint64_t arg = 0;

	for (unsigned int i = 0; i < 6; i++)
		arg = arg << 8 | mac[i];
	return arg;
}

/** ctl_mac_of() - And back; false for an arg of more than 48 bits */
static inline bool ctl_mac_of(uint64_t arg, uint8_t ret_mac[6])
{
	if (arg >> 48 != 0)
		return false;
	for (unsigned int i = 0; i < 6; i++)
		ret_mac[i] = (uint8_t)(arg >> (40 - 8 * i));
	return true;
}

/**
 * ctl_send() - Send one control message
 * @code:	Its number, 0 where it has none
 * @text:	Cut to fit; may be NULL
 *
 * Context: any
 * Syscalls: sendto
 * Return: 0 or -errno
 */
MUST_CHECK int ctl_send(int control, enum ctl_type type, uint32_t code, uint64_t arg,
			const char *text);

/**
 * ctl_send_whole() - Send one control message, which may bring a file; the supervisor's side
 * @fd:		Borrowed: the process gets a duplicate. -1: none
 *
 * A process that does not read loses the message: this does not wait where @control is non-blocking.
 * Context: any
 * Syscalls: sendto; sendmsg with @fd
 * Return: 0 or -errno
 */
MUST_CHECK int ctl_send_whole(int control, const struct ctl_msg *m, int fd);

/**
 * ctl_answer() - Answer a request with CTL_DONE
 * @m:		The request, with the answer's values; changed
 * @rc:		0 or -errno
 * @err:	Its text goes with -errno
 *
 * Context: any
 * Syscalls: sendto
 * Return: 0 or -errno
 */
MUST_CHECK int ctl_answer(int control, struct ctl_msg *m, int rc, const struct err *err);

/**
 * ctl_recv() - Receive one control message and check its size, type and terminator
 * @ret:	Filled on 1, untouched otherwise
 *
 * The caller checks that the type is legal in its state.
 * Context: any
 * Syscalls: recvmsg
 * Return: 1; 0 when the peer is gone; -EPROTO or -errno
 */
MUST_CHECK int ctl_recv(int control, struct ctl_msg *ret);

/**
 * ctl_recv_fd() - As ctl_recv(), for a jailed process: the supervisor may send a file with a message
 * @ret_fd:	On 1: the file, the caller's and O_CLOEXEC, or -1; untouched otherwise
 *
 * The caller checks that this type brings a file.
 * Context: any
 * Syscalls: recvmsg close
 * Return: 1; 0 when the peer is gone; -EPROTO, also for several files; or -errno
 */
MUST_CHECK int ctl_recv_fd(int control, struct ctl_msg *ret, int *ret_fd);

#endif
