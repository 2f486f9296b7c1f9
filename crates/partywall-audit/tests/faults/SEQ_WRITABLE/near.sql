SET ROLE {owner};
CREATE SEQUENCE orders_no_seq;
GRANT USAGE, SELECT ON SEQUENCE orders_no_seq TO {app};
CREATE SEQUENCE parcels_no_seq;
RESET ROLE;
