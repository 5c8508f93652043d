"""Receipt printers: transports, the course of one job, and the printer behind its port."""
