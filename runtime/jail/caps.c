/* SPDX-License-Identifier: BSD-3-Clause */
#include "runtime/jail/caps.h"

#include <errno.h>
#include <linux/securebits.h>
#include <sys/prctl.h>

#define CAPS_SECURE_ALL                                                                            \
	(SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP |                           \
	 SECBIT_NO_SETUID_FIXUP_LOCKED | SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE |   \
	 SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

/* Acting for the users of a guest, and what fails without each */
static const cap_value_t guests_caps[] = {
	CAP_CHOWN,	  /* chown */
	CAP_DAC_OVERRIDE, /* all access to what is another user's */
	CAP_FOWNER,	  /* chmod, utimes, attributes and sticky directories of another user */
	CAP_FSETID,	  /* chmod keeps the set-group-id bit */
	CAP_SETUID,	  /* what is made belongs to its maker */
	CAP_SETGID,	  /* likewise its group */
	CAP_SETFCAP,	  /* programs with capabilities of their own */
};

bool caps_has(cap_value_t cap)
{
	cap_flag_value_t on = CAP_CLEAR;
	cap_t caps = cap_get_proc();

	if (caps && cap_get_flag(caps, cap, CAP_EFFECTIVE, &on) < 0)
		on = CAP_CLEAR;
	cap_free(caps);
	return on == CAP_SET;
}

void caps_done(struct caps *c)
{
	if (c->keep)
		cap_free(c->keep);
	if (c->pass)
		cap_free(c->pass);
}

static int caps_set(cap_t caps, cap_flag_t set)
{
	return cap_set_flag(caps, set, ARRAY_SIZE(guests_caps), guests_caps, CAP_SET);
}

int caps_init(struct caps *c, bool guests)
{
	const int nr = cap_max_bits();
	int rc = 0;

	*c = (struct caps){.keep = cap_init()};
	if (!c->keep || !guests)
		return c->keep ? 0 : -ENOMEM;
	c->pass = cap_init();
	if (!c->pass)
		return -ENOMEM;
	for (cap_value_t cap = 0; rc == 0 && cap < nr; cap++) {
		rc = cap_set_flag(c->pass, CAP_PERMITTED, 1, &cap, CAP_SET);
		if (rc == 0)
			rc = cap_set_flag(c->pass, CAP_EFFECTIVE, 1, &cap, CAP_SET);
	}
	if (rc < 0 || caps_set(c->pass, CAP_INHERITABLE) < 0 ||
	    caps_set(c->keep, CAP_INHERITABLE) < 0 || caps_set(c->keep, CAP_PERMITTED) < 0 ||
	    caps_set(c->keep, CAP_EFFECTIVE) < 0)
		return -ENOMEM;
	return 0;
}

/* Of a program without capabilities of its own, execve passes on the ambient ones alone. */
static int caps_pass(const struct caps *c)
{
	if (!c->pass)
		return 0;
	if (cap_set_proc(c->pass) < 0)
		return -1;
	for (unsigned int i = 0; i < ARRAY_SIZE(guests_caps); i++)
		if (cap_set_ambient(guests_caps[i], CAP_SET) < 0)
			return -1;
	return 0;
}

static bool caps_keeps(const struct caps *c, cap_value_t cap)
{
	unsigned int i = c->pass ? 0 : ARRAY_SIZE(guests_caps);

	while (i < ARRAY_SIZE(guests_caps) && guests_caps[i] != cap)
		i++;
	return i < ARRAY_SIZE(guests_caps);
}

static int caps_bound(const struct caps *c)
{
	const int nr = cap_max_bits();

	for (cap_value_t cap = 0; cap < nr; cap++)
		if (!caps_keeps(c, cap) && cap_drop_bound(cap) < 0)
			return -1;
	return 0;
}

static int caps_failed(const char **ret_step, const char *step)
{
	*ret_step = step;
	return -errno;
}

int caps_apply(const struct caps *c, const char **ret_step)
{
	/* cap_reset_ambient() asks about each capability first. */
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0 || caps_pass(c) < 0)
		return caps_failed(ret_step, "ambient set");
	/* Securebits and bounding set take a capability to change, so the other sets come last. */
	if (prctl(PR_SET_SECUREBITS, CAPS_SECURE_ALL, 0, 0, 0) < 0)
		return caps_failed(ret_step, "securebits");
	if (caps_bound(c) < 0)
		return caps_failed(ret_step, "bounding set");
	if (cap_set_proc(c->keep) < 0)
		return caps_failed(ret_step, "capability sets");
	return 0;
}
