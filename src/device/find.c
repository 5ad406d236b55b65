#include <string.h>

#include "device/device.h"

/* Every device, once. */
static const orr_device *const devices[] = {
    &orr_device_ref,
    &orr_device_cpu,
};

const orr_device *orr_device_find(const char *name) {
    for (size_t i = 0; i < sizeof devices / sizeof *devices; i++)
        if (strcmp(devices[i]->name, name) == 0) return devices[i];
    return NULL;
}
