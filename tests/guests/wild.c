/* SPDX-License-Identifier: BSD-3-Clause */
/* Runs code where there is no memory, which KVM can neither run nor emulate. */
#include "lib/guest.h"

#define NOWHERE 0xd0000000

void guest_main(void)
{
	void (*nowhere)(void) = (void (*)(void))NOWHERE;

	nowhere();
}
