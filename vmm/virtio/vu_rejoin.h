/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: A device that was away comes back
 *
 * The main thread talks to the new process, which may be slow, and never holds the bus lock meanwhile: vCPUs
 * take the device for away until all is done. Only a reset that the driver begins after the new process was
 * given the rings waits for it, as it does for any device.
 *
 * The guest must not notice. A device with other features, queues or smaller rings is refused, and so is one
 * whose configuration space differs where it may not change (struct kind).
 */
#ifndef VMRUN_VMM_VIRTIO_VU_REJOIN_H
#define VMRUN_VMM_VIRTIO_VU_REJOIN_H

#include <pthread.h>

#include "vmm/virtio/vu_frontend.h"

/** enum vu_rejoined - @VU_REJOINED_LOST: the new process is gone, too, and another one may come; or @f was dead */
enum vu_rejoined { VU_REJOINED, VU_REJOINED_CHANGED, VU_REJOINED_LOST, VU_REJOINED_REFUSED };

/**
 * vu_rejoin() - Take a new connection to a device that returns, in place of the one it has or had
 * @sock:	Taken. Sending on it has a limit (SO_SNDTIMEO) already: the filter does not let the VMM set one
 * @lock:	The bus lock, not held
 *
 * Context: main thread; be.peer_fd is not watched
 * Syscalls: futex close, and those of vu_terms_agree() and vu_frontend_give()
 * Return: VU_REJOINED_CHANGED: the configuration space differs; VU_REJOINED_REFUSED: @err says why, and the
 * back-end is dead, as it is after any failure
 */
MUST_CHECK enum vu_rejoined vu_rejoin(struct vu_frontend *f, int sock, pthread_mutex_t *lock,
				      struct err *err);

#endif
