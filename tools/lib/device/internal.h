/* SPDX-License-Identifier: MIT */
/* What the files of this folder share: settings in force, one device's paths and nodes, scripts. */
#pragma once

#include "lib/device/device.h"

struct device_op;
struct job;

struct devices {
	struct loop *loop;
	struct store *store;
	struct device_settings set; /* complete */
	struct device_op *ops;
	struct job *
		turn; /* the vbd between its script's begin and the back end having opened the disk */
};

/* XenbusState of io/xenbus.h, by what it means here */
enum {
	STATE_INITIALISING = 1,
	STATE_INIT_WAIT,
	STATE_INITIALISED,
	STATE_CONNECTED,
	STATE_CLOSING,
	STATE_CLOSED
};

/* --- One device's places ------------------------------------------------------------------------------ */

enum node_path {
	AT_FRONT,
	AT_BACK,
	AT_LIBXL,
	AT_ERROR, /* where the back end's driver says what went wrong */
	AT_FRONT_ERROR,
	AT_STATE, /* the back end's; the others are folders */
	AT_PATHS,
};

struct nodes {
	uint32_t domid;
	enum device_kind kind;
	long devid;
	char *path[AT_PATHS];
};

void nodes_init(struct nodes *p, uint32_t domid, enum device_kind kind, long devid);
void nodes_free(struct nodes *p);

/* Queue the nodes of a device, in the caller's transaction. */
void put_disk(const struct devices *ds, const struct nodes *p, const struct disk_config *disk);
void put_nic(const struct devices *ds, const struct nodes *p, const struct nic_config *nic);
void put_vfb(const struct devices *ds, const struct nodes *p, const struct vfb_config *vfb);
void put_vkbd(const struct devices *ds, const struct nodes *p);

/* Whether this system can serve it. */
int disk_servable(const struct devices *ds, const struct disk_config *disk, struct error *e);
int nic_servable(const struct devices *ds, const struct nic_config *nic, struct error *e);

/* --- Scripts ------------------------------------------------------------------------------------------ */

struct script;
struct script_end {
	bool timed_out;
	int status;   /* as of waitpid() */
	char *answer; /* lines "NAME VALUE": nodes of the back end */
	char *said;   /* the last line of its output, or "" */
};

/*
 * Runs @path with @args behind it. @env is "NAME=VALUE"..., NULL. File descriptor 3 takes its answer. @ended is called once, from the
 * loop; with a script that hangs, when its time is over (it is killed, also if nobody can wait for it).
 */
struct script *script_start(struct devices *ds, const char *path, const char *const *args,
			    char *const *env,
			    void (*ended)(void *arg, const struct script_end *end), void *arg,
			    struct error *e);
/* Ends it without a call. NULL is allowed. */
void script_stop(struct script *s);
