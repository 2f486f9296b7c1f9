"""What django-rls-tenants needs, and the database that the test made."""

import os

from psycopg.conninfo import conninfo_to_dict

_database = conninfo_to_dict(os.environ["DATABASE_URL"])

SECRET_KEY = "of a test"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django_rls_tenants",
    "shop",
]
MIDDLEWARE = ["django_rls_tenants.RLSTenantMiddleware"]
RLS_TENANTS = {"TENANT_MODEL": "shop.Tenant", "TENANT_PK_TYPE": "bigint"}
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": _database["host"],
        "PORT": _database.get("port", ""),
        "USER": _database["user"],
        "PASSWORD": _database["password"],
        "NAME": _database["dbname"],
    }
}
