#include "device/device.h"
#include <string.h>
const orr_device orr_device_ref = { .name = "ref" };
const orr_device *orr_device_find(const char *name) { return strcmp(name,"cpu")==0 ? &orr_device_cpu : NULL; }
