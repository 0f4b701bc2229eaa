/* SPDX-License-Identifier: MIT */
/*
 * The VGA adapter's 80x25 text screen. The screen's content is kept in memory and copied to the
 * adapter, because reading from the adapter is slow everywhere and a trap below an outer
 * hypervisor.
 *
 * Called with the console's lock held; owns the adapter until vga_release().
 */
#include "drivers/vga.h"
#include "boot/boot_info.h"
#include "boot/cmdline.h"
#include "core/console.h"
#include "lib/string.h"
#include "x86/asm.h"
#include "x86/page.h"

#define VGA_TEXT_BASE 0xb8000
#define COLUMNS	      80
#define ROWS	      25
#define ATTRIBUTE     0x0700 /* light grey on black */
#define CRTC	      0x3d4
#define CRTC_CURSOR   14
#define GRAPHICS      0x3ce
#define GRAPHICS_MISC 6

static volatile uint64_t *screen; /* NULL: not in text mode */
static uint16_t shadow[ROWS][COLUMNS] __aligned(8);
static unsigned int column, row;
static bool active;

static void screen_copy(unsigned int first, unsigned int last)
{
	const uint64_t *from = (const uint64_t *)&shadow[0][0];
	unsigned int per_row = COLUMNS * sizeof(uint16_t) / 8;

	for (unsigned int i = first * per_row; i < (last + 1) * per_row; i++)
		screen[i] = from[i];
}

static void cursor_set(void)
{
	unsigned int pos = row * COLUMNS + column;

	outw(CRTC, (uint16_t)(CRTC_CURSOR | (pos >> 8) << 8));
	outw(CRTC, (uint16_t)((CRTC_CURSOR + 1) | (pos & 0xff) << 8));
}

static void clear_row(unsigned int r)
{
	for (unsigned int i = 0; i < COLUMNS; i++)
		shadow[r][i] = ATTRIBUTE | ' ';
}

/* True if the whole screen moved. */
static bool next_row(void)
{
	column = 0;
	if (row < ROWS - 1) {
		row++;
		return false;
	}
	memmove(shadow[0], shadow[1], sizeof(shadow) - sizeof(shadow[0]));
	clear_row(ROWS - 1);
	return true;
}

static bool put_char(char c)
{
	if (c == '\r') {
		column = 0;
		return false;
	}
	if (c == '\n')
		return next_row();
	shadow[row][column++] = (uint16_t)(ATTRIBUTE | (uint8_t)c);
	return column == COLUMNS && next_row();
}

static void vga_write(struct console_dev *dev, const char *s, size_t n)
{
	unsigned int first = row;
	bool scrolled = false;

	if (!active)
		return;
	while (n--)
		scrolled |= put_char(*s++);
	screen_copy(scrolled ? 0 : first, row);
	cursor_set();
}

static struct console_dev vga_dev = {.name = "vga", .write = vga_write};

/*
 * The graphics controller maps 0xb8000 in colour text modes only, and bit 0 says "graphics" (VGA
 * data book, index 6).
 */
static bool __init in_text_mode(void)
{
	outb(GRAPHICS, GRAPHICS_MISC);
	return (inb(GRAPHICS + 1) & 0x0f) == 0x0e;
}

/* The first MiB stays in the direct map for good; the MTRRs make this part of it uncached. */
void __init vga_init_early(void)
{
	if (boot_info.efi || !in_text_mode())
		return;
	screen = maddr_to_virt(VGA_TEXT_BASE);
	for (unsigned int r = 0; r < ROWS; r++)
		clear_row(r);
	screen_copy(0, ROWS - 1);
	active = true;
	console_register(&vga_dev);
}

static bool keep;

static int vga_option(const char *v)
{
	const char *word = strstr(v, "keep");

	keep = word && (word == v || word[-1] == ',') && (!word[4] || word[4] == ',');
	return 0;
}
CMDLINE(vga, vga_option, "keep: write to the screen even when domain 0 has it");

void vga_release(void)
{
	active = active && keep;
}

bool vga_describe(struct dom0_vga_console_info *info)
{
	info->video_type = XEN_VGATYPE_TEXT_MODE_3;
	info->u.text_mode_3.font_height = 16;
	info->u.text_mode_3.columns = COLUMNS;
	info->u.text_mode_3.rows = ROWS;
	info->u.text_mode_3.cursor_x = (uint16_t)column;
	info->u.text_mode_3.cursor_y = (uint16_t)row;
	return screen;
}
