/* SPDX-License-Identifier: MIT */
/*
 * Formatted output.  Understands %d %u %x %c %s %p %% with the l modifier, '#', a zero flag, '-' and
 * a width.  Domain 0 writes through console_io; any other domain, and domain 0 when its builder gave
 * it a ring, through the PV console ring.
 */
#include "guest.h"
#include <xen/io/console.h>

static struct xencons_interface *console_ring;
static evtchn_port_t console_port;
static unsigned char console_page[PAGE_SIZE] PAGE_ALIGNED;

struct out {
	char *buf;
	size_t size, len;
};

static void put(struct out *o, char c)
{
	if (o->len + 1 < o->size)
		o->buf[o->len] = c;
	o->len++;
}

static void put_padded(struct out *o, const char *s, size_t n, int width, char pad, bool left)
{
	int fill = width > (int)n ? width - (int)n : 0;

	for (; !left && fill; fill--)
		put(o, pad);
	while (n--)
		put(o, *s++);
	for (; left && fill; fill--)
		put(o, ' ');
}

static size_t digits(char *end, unsigned long val, unsigned int base)
{
	char *p = end;

	do {
		*--p = "0123456789abcdef"[val % base];
		val /= base;
	} while (val);
	return end - p;
}

struct spec {
	bool left, alt, zero, wide;
	int width;
};

static const char *spec_parse(const char *f, struct spec *s)
{
	*s = (struct spec){0};
	for (;; f++) {
		if (*f == '-')
			s->left = true;
		else if (*f == '#')
			s->alt = true;
		else if (*f == '0')
			s->zero = true;
		else
			break;
	}
	for (; *f >= '0' && *f <= '9'; f++)
		s->width = s->width * 10 + *f - '0';
	for (; *f == 'l' || *f == 'z'; f++)
		s->wide = true;
	return f;
}

static void put_number(struct out *o, const struct spec *s, unsigned long val, char conv)
{
	char tmp[24], *end = tmp + sizeof(tmp);
	bool neg = conv == 'd' && (long)val < 0;
	size_t n = digits(end, neg ? -val : val, conv == 'x' ? 16 : 10);

	if (s->zero) {
		while (n < (size_t)s->width && n < sizeof(tmp) - 3)
			end[-(long)++n] = '0';
	}
	if (s->alt && conv == 'x') {
		end[-(long)++n] = 'x';
		end[-(long)++n] = '0';
	}
	if (neg)
		end[-(long)++n] = '-';
	put_padded(o, end - n, n, s->width, ' ', s->left);
}

int guest_vsnprintf(char *buf, size_t size, const char *f, va_list ap)
{
	struct out o = {buf, size, 0};
	struct spec s;
	const char *str;
	char c;

	for (; *f; f++) {
		if (*f != '%') {
			put(&o, *f);
			continue;
		}
		f = spec_parse(f + 1, &s);
		switch (*f) {
		case 'd':
			put_number(&o, &s, s.wide ? va_arg(ap, long) : va_arg(ap, int), 'd');
			break;
		case 'u':
		case 'x':
			put_number(&o, &s, s.wide ? va_arg(ap, long) : va_arg(ap, unsigned int),
				   *f);
			break;
		case 'p':
			s.alt = true;
			put_number(&o, &s, (unsigned long)va_arg(ap, void *), 'x');
			break;
		case 's':
			str = va_arg(ap, const char *);
			put_padded(&o, str, strlen(str), s.width, ' ', s.left);
			break;
		case 'c':
			c = va_arg(ap, int);
			put(&o, c);
			break;
		default:
			put(&o, *f);
		}
	}
	if (size)
		buf[o.len < size ? o.len : size - 1] = 0;
	return o.len;
}

int guest_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = guest_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

void print(const char *fmt, ...)
{
	char buf[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = guest_vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	console_write(buf, n < (int)sizeof(buf) ? n : (int)sizeof(buf) - 1);
}

static void ring_kick(void)
{
	struct evtchn_send s = {.port = console_port};

	hypercall_event_channel_op(EVTCHNOP_send, &s);
}

/* The reader moves out_cons; when the ring is full wait for it. */
static void ring_write(const char *s, size_t n)
{
	volatile struct xencons_interface *r = console_ring;
	XENCONS_RING_IDX prod = r->out_prod;

	while (n) {
		if (prod - r->out_cons >= sizeof(r->out)) {
			ring_kick();
			hypercall_sched_op(SCHEDOP_yield, NULL);
			continue;
		}
		r->out[MASK_XENCONS_IDX(prod, console_ring->out)] = *s++;
		asm volatile("" : : : "memory");
		r->out_prod = ++prod;
		n--;
	}
	ring_kick();
}

void console_write(const char *s, size_t n)
{
	if (console_ring)
		ring_write(s, n);
	else
		hypercall_console_io(CONSOLEIO_write, n, (char *)s);
}

void console_ring_map(void)
{
	unsigned long mfn = start_info->console.domU.mfn;

	if (!mfn || hypercall_update_va_mapping((unsigned long)console_page, pte_of(mfn, PTE_RW),
						UVMF_INVLPG))
		return;
	console_port = start_info->console.domU.evtchn;
	console_ring = (struct xencons_interface *)console_page;
}

void console_init(void)
{
	if (!is_dom0())
		console_ring_map();
}
