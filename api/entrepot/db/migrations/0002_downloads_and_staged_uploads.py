from tortoise import migrations
from tortoise.migrations import operations as ops
from entrepot.db.models import new_uuid
from tortoise.fields.base import OnDelete
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('models', '0001_initial')]

    initial = False

    operations = [
        ops.CreateModel(
            name='Download',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('file', fields.ForeignKeyField('models.File', source_field='file_id', db_constraint=True, to_field='id', related_name='downloads', on_delete=OnDelete.CASCADE)),
                ('day', fields.IntField()),
                ('count', fields.BigIntField()),
            ],
            options={'table': 'download', 'app': 'models', 'unique_together': (('file', 'day'),), 'pk_attr': 'id', 'table_description': 'How often a file was downloaded on a day.'},
            bases=['Table'],
        ),
        ops.CreateModel(
            name='StagedUpload',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('uuid', fields.CharField(default=new_uuid, unique=True, max_length=36)),
                ('digest', fields.CharField(unique=True, max_length=64)),
                ('namespace', fields.ForeignKeyField('models.Namespace', source_field='namespace_id', db_constraint=True, to_field='id', related_name='staged_uploads', on_delete=OnDelete.CASCADE)),
                ('creator', fields.ForeignKeyField('models.Namespace', source_field='creator_id', db_constraint=True, to_field='id', related_name='created_uploads', on_delete=OnDelete.CASCADE)),
                ('token', fields.ForeignKeyField('models.Token', source_field='token_id', null=True, db_constraint=True, to_field='id', related_name='staged_uploads', on_delete=OnDelete.CASCADE)),
                ('basename', fields.CharField(max_length=255)),
                ('parameters', fields.TextField(unique=False)),
                ('sha256', fields.CharField(null=True, max_length=64)),
                ('size', fields.BigIntField(null=True)),
                ('created_at', fields.BigIntField()),
                ('expires_at', fields.BigIntField()),
                ('finished_at', fields.BigIntField(null=True)),
            ],
            options={'table': 'staged_upload', 'app': 'models', 'indexes': [Index(fields=['namespace_id']), Index(fields=['creator_id']), Index(fields=['token_id']), Index(fields=['expires_at'])], 'pk_attr': 'id', 'table_description': 'An upload that was announced: whoever holds its URL may send the bytes, once, for as long as it and the token that made it are valid.'},
            bases=['Named'],
        ),
        ops.AddIndex(
            model_name='AuditEvent',
            index=Index(fields=['token_id']),
        ),
        ops.AddIndex(
            model_name='File',
            index=Index(fields=['uploaded_by_id']),
        ),
        ops.AddIndex(
            model_name='Package',
            index=Index(fields=['name_key']),
        ),
        ops.AddIndex(
            model_name='Token',
            index=Index(fields=['namespace_id']),
        ),
    ]

