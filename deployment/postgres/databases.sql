-- Run once by PostgreSQL's image, on an empty volume: a database and a role each for Airflow and for the warehouse,
-- who cannot see each other, and a role that reads the warehouse. The passwords are variables of the container.
\getenv airflow_password AIRFLOW_PASSWORD
\getenv sluice_password SLUICE_PASSWORD
\getenv reader_password READER_PASSWORD

create role airflow login password :'airflow_password';
create role sluice login password :'sluice_password';
-- Of the dashboard: it reads every table, also those of versions that are yet to come, and writes none.
create role sluice_reader login password :'reader_password' in role pg_read_all_data;

-- Airflow's migrations make and change tables in the schema public, of which it is the owner as of its database.
create database airflow owner airflow;
-- The warehouse's schemas are made by what loads and builds it: it may make schemas here, and nothing elsewhere.
create database sluice;

revoke all on database airflow, sluice, postgres, template1 from public;
grant connect, create, temporary on database sluice to sluice;
grant connect on database sluice to sluice_reader;

\connect sluice
revoke all on schema public from public;
