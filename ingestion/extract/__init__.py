"""Rows of databases, REST APIs and any dlt resource, written as files of JSON lines into the landing folder."""
