/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: Messages between the VMM and the serial device
 *
 * The VMM has the UART (vmm/uart.h), the device what its line is wired to. SOCK_SEQPACKET; a message is
 * the head of a struct serial_msg and @len bytes of its data.
 *
 *   VMM     SERIAL_OUT   data to be written. The next one follows SERIAL_DONE; but when the guest has
 *                        ended the VMM sends all it still holds, and closes
 *           SERIAL_ROOM  the guest takes up to @room bytes of input. Again after SERIAL_IN only
 *   device  SERIAL_DONE  it holds no output any more: written, or lost. After a short message it waits up to
 *                        1 ms with this, in which the VMM gathers what the guest writes
 *           SERIAL_IN    data that came in, up to what there was room for
 *
 * So neither side waits for the other, each holds a bounded amount, and blocked output (a full pipe, a
 * slow disk) stops nothing but output. Any other message, size or order, or one with fds, ends the side
 * that sent it.
 */
#ifndef VMRUN_DEVICES_CORE_SERIAL_MSG_H
#define VMRUN_DEVICES_CORE_SERIAL_MSG_H

#include <stddef.h>
#include <stdint.h>

#define SERIAL_OUT_MAX	4096U
#define SERIAL_IN_MAX	16U
#define SERIAL_HELD_MAX 65536U /* what the VMM holds of the output, beside one SERIAL_OUT */

enum serial_op { SERIAL_OUT = 1, SERIAL_ROOM, SERIAL_DONE, SERIAL_IN };

/** struct serial_msg - @room: of SERIAL_ROOM, else 0; @len: of SERIAL_OUT and SERIAL_IN, else 0 */
struct serial_msg {
	uint8_t op;
	uint8_t room;
	uint16_t len;
	uint8_t data[SERIAL_OUT_MAX];
};

#define SERIAL_HEAD_BYTES offsetof(struct serial_msg, data)

_Static_assert(SERIAL_HEAD_BYTES == 4, "both sides check the size of messages");

#endif
