/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/record.h"

#include "runtime/state/state_file.h"
#include "runtime/util/clock.h"

#define RECORD_AGAIN_NS 1000000000ULL

void record_save(struct supervisor *s)
{
	const bool again = s->record_ns;
	struct err err;

	if (state_save(s->dir, s->state, &err) == 0) {
		s->record_ns = 0;
		return;
	}
	s->record_ns = clock_ns() + RECORD_AGAIN_NS;
	if (!again)
		oci_log_write(&s->log, LOG_LEVEL_WARN, "%s: it is tried again", err.msg);
}

void record_late(struct supervisor *s)
{
	if (s->stage < STAGE_ENDING) /* the end is saved by itself */
		record_save(s);
	else
		s->record_ns = 0;
}
