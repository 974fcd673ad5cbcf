from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from entrepot.db.models import new_uuid

class Migration(migrations.Migration):
    dependencies = [('models', '0005_people')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Notice',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('uuid', fields.CharField(default=new_uuid, unique=True, max_length=36)),
                ('namespace', fields.ForeignKeyField('models.Namespace', source_field='namespace_id', db_constraint=True, to_field='id', related_name='notices', on_delete=OnDelete.CASCADE)),
                ('level', fields.CharField(max_length=8)),
                ('message', fields.TextField()),
                ('created_at', fields.BigIntField()),
                ('expires_at', fields.BigIntField()),
            ],
            options={'table': 'notice', 'app': 'models', 'indexes': [Index(fields=['namespace_id', 'expires_at'])], 'pk_attr': 'id', 'table_description': 'What the administrators of a namespace want to tell those who install from it.'},
            bases=['Named'],
        ),
        # asked with each request of who reads private packages, which are few among many; Tortoise's indexes know no condition in both dialects
        ops.RunSQL('CREATE INDEX package_private ON package (namespace_id, id) WHERE private'),
    ]
