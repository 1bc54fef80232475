/* SPDX-License-Identifier: BSD-3-Clause */
/**
 * DOC: The serial port, a 16550A whose line is the caller's stdin and stdout
 *
 * The VMM forwards accesses to the eight registers (serial_msg.h). What the guest transmits goes
 * into a ring and from there to the output; what arrives at the input goes into the receive FIFO,
 * no faster than the guest takes it out.
 *
 * Output: bytes are written when no message of the VMM's is waiting, many at a time, and while the
 * sink takes them. When the ring is nearly full LSR says the transmitter is busy, so that a guest
 * with manners waits and nothing is lost; one without loses bytes, as on a real line. A sink that
 * is gone swallows everything.
 *
 * The files are shared with the caller, and where the supervisor could not open them anew the file
 * descriptions are too, so O_NONBLOCK is not ours to set. Instead nothing is read or written unless
 * poll says so, and no more than surely fits.
 *
 * Input is read while the guest asserts RTS or has enabled the receive interrupt: Linux does
 * neither before a program opens the port, and empties the FIFO just then.
 *
 * Interrupts: the line's edges, one event each. A source raises one when it begins to be pending
 * and enabled. It may again once the guest has dealt with it (read the data, read IIR) or disabled
 * it.
 */
#include <errno.h>
#include <linux/serial_reg.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "devices/core/device.h"
#include "devices/core/fdio.h"
#include "devices/core/serial_msg.h"

#define SERIAL_FIFO  16U
#define SERIAL_RING  65536U
#define SERIAL_BATCH 256 /* messages handled before anything else is looked at */

/* How long the rest of the output may take at the end, counted from the last byte that got away */
#define SERIAL_LINGER_MS 1000

/* How much may be written without blocking once poll says "writable" */
#define SERIAL_PIPE_BYTES 4096U /* a pipe has a page free; a socket more */
#define SERIAL_TTY_BYTES  256U	/* a terminal has room in units of this size */

enum serial_slot { SERIAL_BUS, SERIAL_IN, SERIAL_OUT };

#define SERIAL_FD_IN  (BOOT_FD_RES + 0)
#define SERIAL_FD_OUT (BOOT_FD_RES + 1)

/**
 * struct serial - State of one port
 * @irq_fd:	Owned eventfd of the interrupt line; -1 before SERIAL_SETUP
 * @ier:	Registers, by their data sheet names
 * @lsr_error:	Error bits of LSR not yet read
 * @msr_delta:	Change bits of MSR not yet read
 * @thre_pending: The transmitter became empty, and IIR has not told yet
 * @raised:	Sources (as IER bits) whose edge was sent and that are still pending
 * @rx:		Receive FIFO: @rx_nr bytes, the next one first
 * @tx:		Ring of bytes to be written: @tx_nr bytes from @tx_head on
 * @in_open, @out_open: Whether there may be more input, and anyone for the output
 * @in_watched, @out_watched: Whether the loop waits for them
 * @out_bytes:	Most to write at once
 */
struct serial {
	int irq_fd;
	uint8_t ier, fcr, lcr, mcr, scr, dll, dlm;
	uint8_t lsr_error, msr_delta;
	bool thre_pending;
	uint8_t raised;
	uint8_t rx[SERIAL_FIFO];
	unsigned int rx_nr;
	uint8_t tx[SERIAL_RING];
	unsigned int tx_head, tx_nr;
	bool in_open, in_watched;
	bool out_open, out_watched;
	unsigned int out_bytes;
};

/* ---- the register model ---- */

/* The guest may write this much without looking at LSR again, so there must be room for it */
static bool serial_thre(const struct serial *s)
{
	return SERIAL_RING - s->tx_nr >= SERIAL_FIFO;
}

static unsigned int serial_rx_room(const struct serial *s)
{
	return (s->fcr & UART_FCR_ENABLE_FIFO ? SERIAL_FIFO : 1) - s->rx_nr;
}

/* Interrupt sources that are pending and enabled, as IER bits */
static uint8_t serial_pending(const struct serial *s)
{
	unsigned int p = 0;

	p |= s->lsr_error ? UART_IER_RLSI : 0;
	p |= s->rx_nr > 0 ? UART_IER_RDI : 0;
	p |= s->thre_pending ? UART_IER_THRI : 0;
	p |= s->msr_delta ? UART_IER_MSI : 0;
	return (uint8_t)(p & s->ier);
}

/* Sends an edge when a source begins to be pending.  Syscalls: write */
static void serial_update_irq(struct serial *s)
{
	const uint64_t one = 1;
	uint8_t pending = serial_pending(s);
	bool edge = (pending & ~s->raised) != 0;

	s->raised = pending;
	/* It fails only when the counter is full of edges the VMM has not taken. */
	if (edge && s->irq_fd >= 0 && write(s->irq_fd, &one, sizeof(one)) < 0)
		return;
}

/* Modem lines in MSR's upper half; looped back, MCR's outputs are its inputs */
static uint8_t serial_lines(const struct serial *s)
{
	unsigned int v = 0;

	if (!(s->mcr & UART_MCR_LOOP))
		return UART_MSR_DCD | UART_MSR_DSR | UART_MSR_CTS;
	v |= s->mcr & UART_MCR_RTS ? UART_MSR_CTS : 0;
	v |= s->mcr & UART_MCR_DTR ? UART_MSR_DSR : 0;
	v |= s->mcr & UART_MCR_OUT1 ? UART_MSR_RI : 0;
	v |= s->mcr & UART_MCR_OUT2 ? UART_MSR_DCD : 0;
	return (uint8_t)v;
}

static uint8_t serial_read_rbr(struct serial *s)
{
	uint8_t v = s->rx[0];

	if (s->rx_nr == 0)
		return 0;
	s->rx_nr--;
	memmove(s->rx, s->rx + 1, s->rx_nr);
	return v;
}

static uint8_t serial_read_iir(struct serial *s)
{
	static const uint8_t trigger[] = {1, 4, 8, 14};
	uint8_t fifo = s->fcr & UART_FCR_ENABLE_FIFO ? 0xc0 : 0;
	uint8_t pending = serial_pending(s);

	if (pending & UART_IER_RLSI)
		return fifo | UART_IIR_RLSI;
	if (pending & UART_IER_RDI) /* time passes between bytes: below the trigger it is over */
		return fifo | (fifo && s->rx_nr < trigger[UART_FCR_R_TRIG_BITS(s->fcr)]
				       ? UART_IIR_RX_TIMEOUT
				       : UART_IIR_RDI);
	if (pending & UART_IER_THRI) {
		s->thre_pending = false;
		return fifo | UART_IIR_THRI;
	}
	return fifo | (pending & UART_IER_MSI ? UART_IIR_MSI : UART_IIR_NO_INT);
}

static uint8_t serial_read_lsr(struct serial *s)
{
	unsigned int v = s->lsr_error;

	v |= s->rx_nr > 0 ? UART_LSR_DR : 0;
	v |= serial_thre(s) ? UART_LSR_THRE | UART_LSR_TEMT : 0;
	s->lsr_error = 0;
	return (uint8_t)v;
}

static uint8_t serial_read_msr(struct serial *s)
{
	uint8_t v = serial_lines(s) | s->msr_delta;

	s->msr_delta = 0;
	return v;
}

static uint8_t serial_read(struct serial *s, unsigned int reg)
{
	bool dlab = s->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_RX: return dlab ? s->dll : serial_read_rbr(s);
	case UART_IER: return dlab ? s->dlm : s->ier;
	case UART_IIR: return serial_read_iir(s);
	case UART_LCR: return s->lcr;
	case UART_MCR: return s->mcr;
	case UART_LSR: return serial_read_lsr(s);
	case UART_MSR: return serial_read_msr(s);
	default: return s->scr;
	}
}

static void serial_write_thr(struct serial *s, uint8_t v)
{
	if (s->mcr & UART_MCR_LOOP) {
		if (serial_rx_room(s) > 0)
			s->rx[s->rx_nr++] = v;
		else
			s->lsr_error |= UART_LSR_OE;
	} else if (s->tx_nr < SERIAL_RING) {
		s->tx[(s->tx_head + s->tx_nr++) % SERIAL_RING] = v;
	}
	s->thre_pending = serial_thre(s);
}

static void serial_write_ier(struct serial *s, uint8_t v)
{
	/* Enabling it asks for an interrupt now if the transmitter is empty; drivers start that
	 * way. */
	if (v & ~s->ier & UART_IER_THRI)
		s->thre_pending = serial_thre(s);
	s->ier = v & 0x0f;
}

static void serial_write_fcr(struct serial *s, uint8_t v)
{
	if ((v & UART_FCR_CLEAR_RCVR) || ((v ^ s->fcr) & UART_FCR_ENABLE_FIFO))
		s->rx_nr = 0;
	/* CLEAR_XMIT finds nothing: what the guest handed over has left its FIFO. */
	s->fcr = v & UART_FCR_ENABLE_FIFO ? v & (UART_FCR_ENABLE_FIFO | UART_FCR_TRIGGER_MASK) : 0;
}

static void serial_write_mcr(struct serial *s, uint8_t v)
{
	uint8_t before = serial_lines(s);
	uint8_t after;

	s->mcr = v & 0x1f;
	after = serial_lines(s);
	s->msr_delta |= (uint8_t)((before ^ after) >> 4 &
				  (UART_MSR_DCTS | UART_MSR_DDSR | UART_MSR_DDCD));
	s->msr_delta |= before & ~after & UART_MSR_RI ? UART_MSR_TERI : 0;
}

static void serial_write(struct serial *s, unsigned int reg, uint8_t v)
{
	bool dlab = s->lcr & UART_LCR_DLAB;

	switch (reg) {
	case UART_TX:
		if (dlab)
			s->dll = v;
		else
			serial_write_thr(s, v);
		return;
	case UART_IER:
		if (dlab)
			s->dlm = v;
		else
			serial_write_ier(s, v);
		return;
	case UART_FCR: serial_write_fcr(s, v); return;
	case UART_LCR: s->lcr = v; return;
	case UART_MCR: serial_write_mcr(s, v); return;
	case UART_SCR: s->scr = v; return;
	default: return; /* LSR and MSR are read-only */
	}
}

/* ---- the line ---- */

/* Syscalls: ppoll */
static bool serial_writable(int timeout_ms)
{
	struct timespec t = {.tv_sec = timeout_ms / 1000, .tv_nsec = timeout_ms % 1000 * 1000000L};
	struct pollfd p = {.fd = SERIAL_FD_OUT, .events = POLLOUT};

	return ppoll(&p, 1, &t, NULL) > 0; /* an error is writable too: write() tells which */
}

/**
 * serial_flush() - Write what the sink takes
 * @timeout_ms:	How long to wait for the sink each time it takes nothing; 0 in normal life
 *
 * Context: locked.  Syscalls: ppoll write epoll_ctl
 */
static void serial_flush(struct device *d, int timeout_ms)
{
	struct serial *s = d->state;
	bool was_full = !serial_thre(s);
	bool wait;

	while (s->tx_nr > 0 && s->out_open && serial_writable(timeout_ms)) {
		unsigned int len = SERIAL_RING - s->tx_head;
		ssize_t n;

		len = len < s->tx_nr ? len : s->tx_nr;
		len = len < s->out_bytes ? len : s->out_bytes;
		n = write(SERIAL_FD_OUT, s->tx + s->tx_head, len);
		if (n < 0 && errno == EAGAIN) /* the caller's description is O_NONBLOCK */
			break;
		if (n < 0 && errno != EINTR) {
			log_warn("serial: output is lost from here on: %s", err_describe(errno));
			s->out_open = false;
		}
		n = n > 0 ? n : 0;
		s->tx_head = (s->tx_head + (unsigned int)n) % SERIAL_RING;
		s->tx_nr -= (unsigned int)n;
	}
	if (!s->out_open)
		s->tx_nr = 0;
	if (was_full && serial_thre(s))
		s->thre_pending = true;
	wait = s->tx_nr > 0;
	if (wait && !s->out_watched)
		s->out_watched = device_watch(d, SERIAL_OUT, SERIAL_FD_OUT, EPOLLOUT, NULL) == 0;
	else if (!wait && s->out_watched) {
		loop_del(d->loop, SERIAL_FD_OUT);
		s->out_watched = false;
	}
}

/* Whether bytes from the input would reach a guest that listens */
static bool serial_wants_input(const struct serial *s)
{
	bool listens = s->mcr & UART_MCR_RTS || s->ier & UART_IER_RDI;

	return s->in_open && listens && !(s->mcr & UART_MCR_LOOP) && serial_rx_room(s) > 0;
}

/* Called when the input is ready, or never has to be waited for.  Syscalls: read */
static void serial_read_input(struct serial *s)
{
	ssize_t n = read(SERIAL_FD_IN, s->rx + s->rx_nr, serial_rx_room(s));

	if (n > 0)
		s->rx_nr += (unsigned int)n;
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		s->in_open = false;
}

/*
 * Watches the input just while it is wanted: a hang-up would otherwise be told without end. Files
 * and /dev/null cannot be watched and are always ready.  Syscalls: epoll_ctl read
 */
static void serial_update_input(struct device *d)
{
	struct serial *s = d->state;
	bool want = serial_wants_input(s);

	if (want && !s->in_watched) {
		int rc = device_watch(d, SERIAL_IN, SERIAL_FD_IN, EPOLLIN, NULL);

		if (rc == -EPERM)
			serial_read_input(s);
		s->in_open = s->in_open && (rc == 0 || rc == -EPERM);
		s->in_watched = rc == 0;
	} else if (!want && s->in_watched) {
		loop_del(d->loop, SERIAL_FD_IN);
		s->in_watched = false;
	}
}

/* ---- the bus ---- */

/* The first message brings the interrupt.  Syscalls: recvmsg close */
static int serial_setup(struct serial *s)
{
	struct serial_msg m;
	int fds[FDIO_FDS_MAX];
	unsigned int nr_fds;
	ssize_t n = fd_recv(BOOT_FD_BUS, &m, sizeof(m), fds, &nr_fds);

	if (n <= 0)
		return n == 0 ? -EPIPE : (int)n;
	if (n == sizeof(m) && m.op == SERIAL_SETUP && nr_fds == 1) {
		s->irq_fd = fds[0];
		return 0;
	}
	for (unsigned int i = 0; i < nr_fds; i++)
		close(fds[i]);
	return -EPROTO;
}

/**
 * serial_serve_one() - Receive and carry out one message, if there is one
 *
 * Context: locked.  Syscalls: recvmsg sendmsg write
 * Return: 0; -EAGAIN when none is waiting; -EPIPE when the VMM is gone; -EPROTO; else -errno
 */
static int serial_serve_one(struct serial *s)
{
	struct serial_msg m;
	struct iovec iov = {.iov_base = &m, .iov_len = sizeof(m)};
	struct msghdr hdr = {.msg_iov = &iov, .msg_iovlen = 1};
	ssize_t n;
	int rc = 0;

	if (s->irq_fd < 0)
		return serial_setup(s);
	n = recvmsg(BOOT_FD_BUS, &hdr, MSG_DONTWAIT);
	if (n <= 0)
		return n == 0 ? -EPIPE : -errno;
	if (n != sizeof(m) || hdr.msg_flags & (MSG_TRUNC | MSG_CTRUNC) || m.reg > UART_SCR)
		return -EPROTO;
	if (m.op == SERIAL_READ) {
		m.value = serial_read(s, m.reg);
		rc = fd_send(BOOT_FD_BUS, &m, sizeof(m), NULL, 0);
	} else if (m.op == SERIAL_WRITE) {
		serial_write(s, m.reg, m.value);
	} else {
		rc = -EPROTO;
	}
	serial_update_irq(s);
	return rc;
}

static void serial_bus_ready(struct device *d)
{
	int rc = 0;

	for (int i = 0; i < SERIAL_BATCH && rc == 0; i++)
		rc = serial_serve_one(d->state);
	if (rc == 0 || rc == -EAGAIN || rc == -EINTR)
		return;
	if (rc != -EPIPE && rc != -ECONNRESET)
		log_err("serial: message from the VMM: %s", err_describe(-rc));
	loop_stop(d->loop);
}

static void serial_event(struct device *d, unsigned int slot, uint32_t events)
{
	struct serial *s = d->state;

	(void)events;
	if (slot == SERIAL_BUS)
		serial_bus_ready(d);
	else if (slot == SERIAL_IN)
		serial_read_input(s);
	serial_flush(d, 0);
	serial_update_input(d);
	serial_update_irq(s);
}

/* The VMM is gone: carry out what it left, then let the output get away, within a bound */
static void serial_reset(struct device *d)
{
	struct serial *s = d->state;

	while (s->irq_fd >= 0 && serial_serve_one(s) == 0)
		;
	serial_flush(d, SERIAL_LINGER_MS);
}

/**
 * serial_init() - Take over input and output
 * @d:		Zeroed state
 * @rec:	Two resources: input, output
 * @err:	Filled on failure
 *
 * Context: setup.  Syscalls: fstat epoll_ctl
 * Return: 0 or -errno
 */
static int serial_init(struct device *d, const struct boot_dev *rec, struct err *err)
{
	struct serial *s = d->state;
	struct stat st;

	if (rec->nr_res != 2 || rec->flags & BOOT_DEV_LISTEN)
		return err_text(err, EINVAL, "%s: %u resources, not 2, or no VMM", rec->name,
				rec->nr_res);
	if (fstat(SERIAL_FD_OUT, &st) < 0)
		return err_set(err, errno, "%s: output", rec->name);
	s->out_bytes = S_ISREG(st.st_mode)   ? SERIAL_RING
		       : S_ISCHR(st.st_mode) ? SERIAL_TTY_BYTES
					     : SERIAL_PIPE_BYTES;
	s->irq_fd = -1;
	s->in_open = s->out_open = true;
	return device_watch(d, SERIAL_BUS, BOOT_FD_BUS, EPOLLIN, err);
}

const struct device_ops serial_device = {
	.name = "serial",
	.state_size = sizeof(struct serial),
	.init = serial_init,
	.event = serial_event,
	.reset = serial_reset,
};
