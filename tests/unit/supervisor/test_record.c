/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"
#include "runtime/supervisor/record.h"
#include "tests/support/temp_dir.h"

static struct supervisor s;

static void setup(void)
{
	temp_dir_make();
	s = (struct supervisor){.stage = STAGE_RUNNING, .log = {.fd = -1}};
	s.dir = open(temp_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	s.state = calloc(1, sizeof(*s.state));
	strcpy(s.state->id, "a");
	s.state->bundle = strdup("/b");
	s.state->rootfs = strdup("/r");
	s.state->nr_procs = s.state->nr_others = 1;
	strcpy(s.state->proc[0].name, "rng0");
	strcpy(s.state->other[0].name, "fs0");
}

TestSuite(record, .init = setup, .fini = temp_dir_remove);

/* What a reader finds: the pid of the process, the count of the back-end */
static bool on_file(pid_t pid, unsigned int restarts)
{
	struct state *read = NULL;
	struct err err;
	bool same;

	cr_assert_eq(state_load(s.dir, &read, &err), 0, "%s", err.msg);
	same = read->proc[0].process.pid == pid && read->nr_others == 1 &&
	       strcmp(read->other[0].name, "fs0") == 0 && read->other[0].restarts == restarts;
	state_free(read);
	return same;
}

Test(record, is_saved_when_there_is_room_again)
{
	s.state->proc[0].process.pid = 10;
	record_save(&s);
	cr_expect(s.record_ns == 0 && on_file(10, 0));
	/* No new file can be made: as on a full disk. */
	cr_assert_eq(mkdirat(s.dir, STATE_FILE ".new", 0700), 0);
	s.state->proc[0].process.pid = 11;
	s.state->other[0].restarts = 3;
	record_save(&s);
	cr_expect(s.record_ns > 0 && on_file(10, 0));
	record_late(&s);
	cr_expect(s.record_ns > 0 && on_file(10, 0));
	cr_assert_eq(unlinkat(s.dir, STATE_FILE ".new", AT_REMOVEDIR), 0);
	record_late(&s);
	cr_expect(s.record_ns == 0 && on_file(11, 3));
}

Test(record, the_end_is_saved_by_itself)
{
	s.record_ns = 1;
	s.stage = STAGE_ENDING;
	record_late(&s);
	cr_expect_eq(s.record_ns, 0);
	cr_expect_lt(faccessat(s.dir, STATE_FILE, F_OK, 0), 0);
}
