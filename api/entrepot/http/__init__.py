"""The core's HTTP: uploads, index documents, files, authentication, health."""
