/* SPDX-License-Identifier: BSD-3-Clause */
#include "vmm/x86/aml.h"

#include <criterion/criterion.h>
#include <string.h>

static uint8_t buf[1 << 16];
static struct aml a;

static void start(void)
{
	memset(buf, 0, sizeof(buf));
	aml_init(&a, buf, sizeof(buf));
}

TestSuite(aml, .init = start);

#define EXPECT(...)                                                                                \
	do {                                                                                       \
		static const uint8_t _want[] = {__VA_ARGS__};                                      \
		cr_assert_eq(a.bytes, sizeof(_want), "%zu bytes", a.bytes);                        \
		cr_assert_arr_eq(buf, _want, sizeof(_want));                                       \
		cr_assert(!a.full);                                                                \
	} while (0)

Test(aml, integers_take_the_shortest_form)
{
	aml_int(&a, 0);
	aml_int(&a, 1);
	aml_int(&a, 2);
	aml_int(&a, 0xff);
	aml_int(&a, 0x100);
	aml_int(&a, 0x10000);
	aml_int(&a, 0x100000000);
	EXPECT(0x00, 0x01, 0x0a, 2, 0x0a, 0xff, 0x0b, 0, 1, 0x0c, 0, 0, 1, 0, 0x0e, 0, 0, 0, 0, 1,
	       0, 0, 0);
}

Test(aml, names_and_strings)
{
	aml_name(&a, "_HID");
	aml_string(&a, "AB");
	EXPECT(0x08, '_', 'H', 'I', 'D', 0x0d, 'A', 'B', 0);
}

Test(aml, eisa_ids)
{
	aml_eisa_id(&a, "PNP0A03"); /* section 19.3.4's own example is this id */
	aml_eisa_id(&a, "PNP0501");
	EXPECT(0x0c, 0x41, 0xd0, 0x0a, 0x03, 0x0c, 0x41, 0xd0, 0x05, 0x01);
}

Test(aml, nested_objects)
{
	size_t scope = aml_scope(&a, "\\_SB_"), device = aml_device(&a, "DEV0");

	aml_close(&a, aml_package(&a, 0));
	aml_close(&a, device);
	aml_close(&a, scope);
	EXPECT(0x10, 16, '\\', '_', 'S', 'B', '_', 0x5b, 0x82, 8, 'D', 'E', 'V', '0', 0x12, 2, 0);
}

Test(aml, length_forms)
{
	static const struct {
		size_t inside;
		unsigned int bytes;
		uint8_t head[3];
	} cases[] = {
		{0x3e, 1, {0x3f}},
		{0x3f, 2, {0x41, 0x04}},
		{0xffd, 2, {0x4f, 0xff}},
		{0xffe, 3, {0x81, 0x00, 0x01}},
		{0x8000, 3, {0x83, 0x00, 0x08}},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t mark;

		start();
		mark = aml_device(&a, "DEV0");
		while (a.bytes - mark < cases[i].inside)
			aml_int(&a, 0);
		aml_close(&a, mark);
		cr_assert_arr_eq(buf + mark, cases[i].head, cases[i].bytes, "case %zu", i);
		cr_assert_eq(memcmp(buf + mark + cases[i].bytes, "DEV0", 4), 0, "case %zu", i);
		cr_assert_eq(a.bytes, mark + cases[i].bytes + cases[i].inside, "case %zu", i);
	}
}

Test(aml, resources)
{
	static const struct aml_res res[] = {
		{AML_IO, 0x3f8, 8},
		{AML_IRQ, 4, 0},
		{AML_BUS, 0, 1},
		{AML_MEM_WINDOW, 0xc0000000, 0x1000},
	};

	aml_crs(&a, res, ARRAY_SIZE(res));
	EXPECT(0x08, '_', 'C', 'R', 'S', 0x11, 0x3a, 0x0a, 55,	      /* buffer */
	       0x47, 1, 0xf8, 3, 0xf8, 3, 1, 8,			      /* ports */
	       0x22, 0x10, 0,					      /* line */
	       0x88, 13, 0, 2, 0x0c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, /* buses */
	       0x87, 23, 0, 0, 0x0c, 1, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0xff, 0x0f, 0, 0xc0, 0, 0, 0, 0,
	       0, 0x10, 0, 0, /* memory */
	       0x79, 0);
}

Test(aml, running_out_of_room_is_remembered)
{
	for (size_t room = 0; room < 17; room++) {
		size_t scope, device;

		memset(buf, 0xee, sizeof(buf));
		aml_init(&a, buf, room);
		scope = aml_scope(&a, "\\_SB_");
		device = aml_device(&a, "DEV0");
		aml_close(&a, aml_package(&a, 0));
		aml_close(&a, device);
		aml_close(&a, scope);
		cr_assert(a.full, "room %zu", room);
		cr_assert_leq(a.bytes, room);
		cr_assert_eq(buf[room], 0xee, "nothing behind the end is touched");
	}
}
