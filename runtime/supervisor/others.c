/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/supervisor/others.h"

#include <errno.h>
#include <string.h>

#define OTHERS_SAYS "device "

bool others_name(const struct plan *p, const char *text, struct err *err)
{
	const size_t says = strlen(OTHERS_SAYS);

	if (strncmp(text, OTHERS_SAYS, says) != 0)
		return false;
	for (unsigned int i = 0; i < p->nr_others; i++) {
		const struct plan_fd *fd = plan_other_fd(p, i);
		const char *name = p->other[i].name;
		const char *why = text + says + strlen(name);

		if (strncmp(text + says, name, strlen(name)) != 0 || strncmp(why, ": ", 2) != 0)
			continue;
		err_text(err, EIO, "%s%s (%s)", fd->pointer, why, fd->path);
		return true;
	}
	return false;
}
