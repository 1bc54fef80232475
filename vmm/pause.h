/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Pausing the guest, and letting it go on
 *
 *   pause:  vCPUs leave the guest; devices give their rings back; the guest's time is noted; CTL_DONE
 *   resume: the guest's clock is set; a new generation; devices get their rings; vCPUs enter the guest
 *
 * A device whose disk does not answer keeps its rings, and the pause waits for it; the supervisor gives
 * up with CTL_RESUME. The wait is the main loop's, so that ends, deaths and messages get through.
 */
#ifndef VMRUN_VMM_PAUSE_H
#define VMRUN_VMM_PAUSE_H

#include "vmm/machine.h"

/**
 * pause_begin() - CTL_PAUSE: answered at once if a vCPU cannot leave, otherwise when all devices are quiet
 *
 * Context: locked, main thread
 * Syscalls: those of vcpu.h, virtio_pause.h and arch.h; sendto
 * Return: 0 or -errno of the answer
 */
MUST_CHECK int pause_begin(struct machine *m);

/**
 * pause_end() - CTL_RESUME, also of a pause that waits for a device, or that failed
 *
 * Context: locked, main thread
 * Syscalls: those of vcpu.h, virtio_pause.h and arch.h; sendto
 * Return: 0 or -errno of the answer
 */
MUST_CHECK int pause_end(struct machine *m, struct ctl_msg *msg);

#endif
