-- prove: cannot: the sequences number no table of the tenants
SET ROLE {owner};
CREATE SEQUENCE orders_no_seq;
GRANT UPDATE, USAGE ON SEQUENCE orders_no_seq TO {app};
CREATE SEQUENCE parcels_no_seq;
GRANT UPDATE ON SEQUENCE parcels_no_seq TO {app};
RESET ROLE;
