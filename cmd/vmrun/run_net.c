/* SPDX-License-Identifier: BSD-3-Clause */
#include "cmd/vmrun/run_net.h"

#include <errno.h>
#include <string.h>

#include "devices/core/fmt.h"
#include "runtime/util/json.h"

enum kind { TEXT, NUMBER, SWITCH };

/**
 * struct key - One key
 * @property:	In config.json
 * @off, @on:	What a switch sets instead of false and true; NULL = those
 * @mode:	The mode it implies where none is given, or NULL
 */
static const struct key {
	const char *key;
	const char *property;
	enum kind kind;
	const char *off, *on;
	const char *mode;
} keys[] = {
	{"mode", "mode", TEXT, NULL, NULL, NULL},
	{"name", "name", TEXT, NULL, NULL, NULL},
	{"tap-name", "name", TEXT, NULL, NULL, "tap"},
	{"hostIp", "hostIp", TEXT, NULL, NULL, NULL},
	{"host-ip", "hostIp", TEXT, NULL, NULL, NULL},
	{"netmask", "netmask", TEXT, NULL, NULL, NULL},
	{"guestIp", "guestIp", TEXT, NULL, NULL, NULL},
	{"guest-ip", "guestIp", TEXT, NULL, NULL, NULL},
	{"gateway", "gateway", TEXT, NULL, NULL, NULL},
	{"pool", "pool", TEXT, NULL, NULL, NULL},
	{"mac", "mac", TEXT, NULL, NULL, NULL},
	{"mtu", "mtu", NUMBER, NULL, NULL, NULL},
	{"bridge", "bridge", TEXT, NULL, NULL, "bridge"},
	{"parent", "parent", TEXT, NULL, NULL, "macvtap"},
	{"netns", "netns", TEXT, NULL, NULL, "netns"},
	{"hostNetwork", "hostNetwork", SWITCH, NULL, NULL, "netns"},
	{"fd", "fd", NUMBER, NULL, NULL, "fd"},
	{"tap-fd", "fd", NUMBER, NULL, NULL, "fd"},
	{"masquerade", "masquerade", SWITCH, NULL, NULL, NULL},
	{"dhcp", "dhcp", SWITCH, NULL, NULL, NULL},
	{"queues", "queues", NUMBER, NULL, NULL, NULL},
	{"vq-pairs", "queues", NUMBER, NULL, NULL, NULL},
	{"backend", "backend", TEXT, NULL, NULL, NULL},
	{"vhost-net", "backend", SWITCH, "user", "vhost", NULL},
};

/**
 * struct word - What stands between two commas
 * @text:	Up to its '='; longer words are cut, and nothing that long is legal
 * @value:	After the '=', or NULL
 */
struct word {
	char text[400];
	char *value;
};

static int run_net_fail(struct err *err, const char *key, const char *what, const char *is)
{
	return err_text(err, EINVAL, "--net: %s: %s%s%s", key, what, is ? ", is " : "",
			is ? is : "");
}

static int run_net_unknown_key(const char *key, struct err *err)
{
	char known[220];
	size_t n = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++)
		n += fmt_into(known + n, sizeof(known) - n, "%s%s", i ? ", " : "", keys[i].key);
	return err_text(err, EINVAL, "--net: unknown key \"%s\", known are %s", key, known);
}

static int run_net_number(const char *key, const char *text, struct json_object **ret,
			  struct err *err)
{
	size_t len = strlen(text);
	char *end;
	unsigned long long v;

	errno = 0;
	v = strtoull(text, &end, 10);
	if (len == 0 || strspn(text, "0123456789") != len || errno)
		return run_net_fail(err, key, "must be a number", text);
	*ret = json_object_new_uint64(v);
	return 0;
}

static int run_net_onoff(const struct key *k, const char *text, struct json_object **ret,
			 struct err *err)
{
	bool on = !text || !strcmp(text, "true");
	const char *word = on ? k->on : k->off;

	if (!on && strcmp(text, "false"))
		return run_net_fail(err, k->key, "must be true or false", *text ? text : "empty");
	*ret = word ? json_object_new_string(word) : json_object_new_boolean(on);
	return 0;
}

/* What @k and its value become; *ret NULL when there was no memory */
static int run_net_convert(const struct key *k, const char *text, struct json_object **ret,
			   struct err *err)
{
	if (k->kind == SWITCH)
		return run_net_onoff(k, text, ret, err);
	if (!text || !*text)
		return run_net_fail(err, k->key, "needs a value", NULL);
	if (k->kind == NUMBER)
		return run_net_number(k->key, text, ret, err);
	*ret = json_object_new_string(text);
	return 0;
}

static int run_net_put(struct json_object *net, const char *property, struct json_object *value,
		       struct err *err)
{
	if (value && json_object_object_add(net, property, value) == 0)
		return 0;
	json_object_put(value);
	return err_set(err, ENOMEM, "--net");
}

/* One word; the first may be a mode. *@implied becomes what its key implies. */
static int run_net_take(struct json_object *net, const struct word *w, bool first,
			const char **implied, struct err *err)
{
	struct json_object *value = NULL;
	const struct key *k = keys;
	int rc;

	while (k < keys + ARRAY_SIZE(keys) && strcmp(k->key, w->text))
		k++;
	if (first && !*w->text && !w->value)
		return run_net_fail(err, "mode", "needs a value", NULL);
	if (k == keys + ARRAY_SIZE(keys))
		return first && !w->value
			       ? run_net_put(net, "mode", json_object_new_string(w->text), err)
			       : run_net_unknown_key(w->text, err);
	/* "bridge=br0" is the property, "bridge" alone the mode */
	if (first && !w->value && k->mode && !strcmp(k->key, k->mode))
		return run_net_put(net, "mode", json_object_new_string(w->text), err);
	if (json_object_object_get_ex(net, k->property, NULL))
		return run_net_fail(err, k->key, "given twice", NULL);
	rc = run_net_convert(k, w->value, &value, err);
	if (rc < 0)
		return rc;
	if (!*implied)
		*implied = k->mode;
	return run_net_put(net, k->property, value, err);
}

/* Cut the next word off *@spec; false when there is none left */
static bool run_net_next_word(const char **spec, struct word *ret)
{
	size_t n;

	if (!*spec)
		return false;
	n = strcspn(*spec, ",");
	fmt_into(ret->text, sizeof(ret->text), "%.*s", (int)n, *spec);
	ret->value = strchr(ret->text, '=');
	if (ret->value)
		*ret->value++ = '\0';
	*spec = (*spec)[n] ? *spec + n + 1 : NULL;
	return true;
}

int run_net(const char *spec, struct json_object **ret, struct err *err)
{
	cleanup_json struct json_object *net = json_object_new_object();
	const char *implied = NULL;
	struct word w;
	bool first = true;
	int rc;

	if (!net)
		return err_set(err, ENOMEM, "--net");
	rc = run_net_put(net, "type", json_object_new_string("net"), err);
	for (; rc == 0 && run_net_next_word(&spec, &w); first = false)
		rc = run_net_take(net, &w, first, &implied, err);
	if (rc == 0 && implied && !json_object_object_get_ex(net, "mode", NULL))
		rc = run_net_put(net, "mode", json_object_new_string(implied), err);
	if (rc < 0)
		return rc;
	*ret = TAKE_PTR(net);
	return 0;
}
