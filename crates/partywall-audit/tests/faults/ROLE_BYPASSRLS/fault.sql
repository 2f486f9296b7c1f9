-- prove: read count join update delete insert upsert
ALTER ROLE {app} BYPASSRLS;
