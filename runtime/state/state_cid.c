/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/state/state_cid.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/state/state_dir.h"
#include "runtime/state/state_file.h"

/* Entries that are not vmrun's, or vanish meanwhile, have no CID. */
static bool state_cid_has(const char *root, const char *id, uint32_t cid)
{
	cleanup_fd int dir = -1;
	struct err ignored;
	struct state *s;
	bool has;

	if (state_open(root, id, &dir, &ignored) < 0 || state_load(dir, &s, &ignored) < 0)
		return false;
	has = s->status != STATE_STOPPED && s->cid == cid;
	state_free(s);
	return has;
}

int state_cid_check(const char *root, const struct state *own, struct err *err)
{
	struct dirent **entries = NULL;
	cleanup_fd int base = -1;
	int n, rc = own->cid ? state_root(root, &base, err) : 0;

	if (rc < 0 || !own->cid)
		return rc;
	n = scandirat(base, ".", &entries, NULL, NULL);
	if (n < 0)
		return err_set(err, errno, "state directory %s", root);
	for (int i = 0; i < n; i++) {
		const char *id = entries[i]->d_name;

		if (rc == 0 && strcmp(id, own->id) != 0 && state_cid_has(root, id, own->cid))
			rc = err_text(err, EBUSY, "%u is the CID of %s already", own->cid, id);
		free(entries[i]);
	}
	free(entries);
	return rc;
}
