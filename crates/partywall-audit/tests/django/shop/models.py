"""Tenants, and what is theirs."""

from django.db import models
from django_rls_tenants import RLSProtectedModel


class Tenant(models.Model):
    """Whose the rows of the others are."""

    name = models.CharField(max_length=255)


class Category(models.Model):
    """The same for all tenants."""

    name = models.CharField(max_length=255, unique=True)


class Label(RLSProtectedModel):
    """A word for products."""

    name = models.CharField(max_length=255)


class Product(RLSProtectedModel):
    """What a tenant sells."""

    name = models.CharField(max_length=255)
    category = models.ForeignKey(Category, on_delete=models.PROTECT)
    labels = models.ManyToManyField(Label)


class Order(RLSProtectedModel):
    """What somebody bought of a tenant."""

    product = models.ForeignKey(Product, on_delete=models.CASCADE)
    amount = models.DecimalField(max_digits=12, decimal_places=2)
