/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/supervisor.h"

#include "runtime/supervisor/programs.h"

struct spawned *supervisor_process(struct supervisor *s, int fd)
{
	for (unsigned int i = 0; i < s->nr; i++)
		if (s->proc[i].control == fd || s->proc[i].log == fd ||
		    s->proc[i].jailed.pidfd == fd)
			return &s->proc[i];
	return NULL;
}

bool supervisor_is_vmm(const struct supervisor *s, const struct spawned *p)
{
	return p == &s->proc[0];
}

void supervisor_let_go(struct supervisor *s)
{
	if (s->nr_programs)
		programs_close(s->launch->program, s->nr_programs);
	s->nr_programs = 0;
	spawn_done(&s->spawn);
	assets_close(s->assets);
	s->assets = NULL;
}
