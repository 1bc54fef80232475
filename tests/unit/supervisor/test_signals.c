/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <signal.h>

#include "runtime/supervisor/signals.h"

Test(signals, meanings)
{
	cr_expect_eq(signals_action(0), SIGNAL_CHECK);
	cr_expect_eq(signals_action(SIGTERM), SIGNAL_POWER_BUTTON);
	cr_expect_eq(signals_action(SIGINT), SIGNAL_CTRL_ALT_DEL);
	cr_expect_eq(signals_action(SIGKILL), SIGNAL_KILL);
	cr_expect_eq(signals_action(SIGWINCH), SIGNAL_HARMLESS);
	cr_expect_eq(signals_action(SIGRTMIN + 3), SIGNAL_POWER_BUTTON);
	cr_expect_eq(signals_action(SIGUSR1), SIGNAL_NONE);
}
