/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Bytes of one direction, from one fd to another
 *
 * Between a stream of vsock and the pipe or terminal of a program. Neither side waits: what the sink does not take stays in
 * the copier's buffer, and the source is not read meanwhile. The end of the source becomes the end of the sink, after all bytes.
 */
#ifndef VMRUN_CMD_VMRUN_INIT_COPIER_H
#define VMRUN_CMD_VMRUN_INIT_COPIER_H

#include "cmd/vmrun-init/poller.h"

/**
 * struct copier - Zeroed: none
 * @at, @len:	What the sink has not taken yet of @buf
 * @ended:	The source has no more
 * @discard:	A sink that fails does not end it: the source is read on, to nowhere. For terminals, which would hang up
 * @left:	copier_finish(): how many bytes it still reads at most; before: unlimited
 * @over:	Called at its end, once; may free the copier
 */
struct copier {
	struct watch from, to;
	uint8_t *buf;
	size_t at, len;
	bool running, ended, discard, finishing, broken;
	size_t left;
	void (*over)(void *arg);
	void *arg;
};

/**
 * copier_start() - Begin to copy
 * @from, @to:	Not blocking, which it sets; the copier's from here on, also when it fails
 * @over:	Called from the poller, never by this call
 *
 * Return: 0 or -errno, then nothing runs
 */
MUST_CHECK int copier_start(struct copier *c, struct poller *p, int from, int to,
			    void (*over)(void *arg), void *arg);

/**
 * copier_finish() - The source's program has ended: copy what the source holds now, then end
 *
 * Others may have the other end of the source still; what they write later is not waited for. Calls @over at
 * once where nothing is left. One that does not run: no effect
 */
void copier_finish(struct copier *c);

/** copier_end() - End at once, without @over; safe on one that does not run */
void copier_end(struct copier *c);

#endif
