/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Looking at rings for a moment before sleeping
 *
 * A driver with one request at a time in work sends the next a few microseconds after it has an answer. To sleep
 * until it rings costs more than such a request: an exit of its vCPU, and waking this process. So a device looks at
 * its rings for LINGER_NS first, and the driver does not ring where it has not been asked to.
 *
 * Looking takes a CPU. It pays where the next request comes in that time, so each vain look halves how often it is
 * done, down to one wait in 2^LINGER_LEVELS, and each one that finds a request doubles it.
 */
#ifndef VMRUN_DEVICES_CORE_LINGER_H
#define VMRUN_DEVICES_CORE_LINGER_H

#include "devices/core/virtqueue.h"

#define LINGER_NS     50000U
#define LINGER_LEVELS 8U

/**
 * struct linger - How it went before; zeroed: it pays
 * @level:	Vain looks less those that were not, 0 to LINGER_LEVELS
 * @skip:	Waits from now on without a look
 */
struct linger {
	uint32_t level, skip;
};

/**
 * linger() - Wait a moment for the driver's next request, if that has paid
 * @q:		@nr rings. All that was in them was popped; what was pushed is signalled
 *
 * Context: locked
 * Syscalls: clock_gettime (vDSO)
 */
void linger(struct linger *l, struct vq *q, unsigned int nr);

#endif
